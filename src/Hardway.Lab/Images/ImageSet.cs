using System.Security.Cryptography;
using System.Text;
using Hardway.Hosting;
using Hardway.Lab.Host;
using Hardway.Provisioning;
using Hardway.Provisioning.Steps;

namespace Hardway.Lab.Images;

/// <summary>
/// The image archives under /var/lib/hardway/images, built once for their content: recipe, packages, and for our own image the program. An archive that is
/// there is complete; older ones of the same name are deleted when a new one is made.
/// </summary>
public sealed class ImageSet(LabPaths paths, string program, TimeProvider time)
{
    public async Task<IReadOnlyList<ImageArchive>> EnsureAsync(Action<StepEvent>? observer, CancellationToken cancellation)
    {
        Directory.CreateDirectory(paths.Images);
        var wanted = await WantedAsync(cancellation);
        var missing = wanted.Where(w => !File.Exists(w.Path)).ToList();
        if (missing.Count > 0)
        {
            var progress = new LabProgress(observer, time);
            var sources = new ImageSources(await EnsurePackagesAsync(progress, cancellation), program);
            await progress.RunAsync(LabProgress.Host, "images", async say =>
            {
                foreach (var (recipe, path) in missing) await BuildAsync(recipe, path, sources, cancellation);
                return string.Join(", ", missing.Select(m => m.Recipe.References[0]));
            });
        }
        return [.. wanted.Select(w => new ImageArchive(w.Path, w.Recipe.References))];
    }

    /// <summary>Those that are there already; builds none.</summary>
    public async Task<IReadOnlyList<ImageArchive>> BuiltAsync(CancellationToken cancellation) =>
        [.. (await WantedAsync(cancellation)).Where(w => File.Exists(w.Path)).Select(w => new ImageArchive(w.Path, w.Recipe.References))];

    private async Task<List<(ImageRecipe Recipe, string Path)>> WantedAsync(CancellationToken cancellation)
    {
        var programKey = await ProgramKeyAsync(cancellation);
        return [.. ImageRecipes.All.Select(recipe => (recipe, Path.Combine(paths.Images, $"{recipe.Name}-{Key(recipe, programKey)}.tar")))];
    }

    private async Task BuildAsync(ImageRecipe recipe, string path, ImageSources sources, CancellationToken cancellation)
    {
        await OciArchive.WriteAsync(path, await recipe.Build(sources, cancellation), recipe.Config, recipe.References, cancellation);
        foreach (var old in Directory.GetFiles(paths.Images, recipe.Name + "-*.tar").Where(f => f != path)) File.Delete(old);
    }

    private async Task<string> EnsurePackagesAsync(LabProgress progress, CancellationToken cancellation)
    {
        var tree = Path.Combine(paths.Images, "packages-" + Hash(DebianTree.Release, string.Join(',', ImageRecipes.Packages)));
        if (Directory.Exists(tree)) return tree;
        return await progress.RunAsync(LabProgress.Host, "packages for images", async say =>
        {
            await new DebianTree(say).MakeAsync(tree, "extract", ImageRecipes.Packages, (_, _) => Task.CompletedTask, cancellation);
            return tree;
        });
    }

    private static string Key(ImageRecipe recipe, string programKey) =>
        Hash(recipe.Name, recipe.Version.ToString(), string.Join(',', recipe.References), DebianTree.Release, string.Join(',', ImageRecipes.Packages), recipe.Name == "hardway" ? programKey : "");

    private async Task<string> ProgramKeyAsync(CancellationToken cancellation)
    {
        if (!File.Exists(program)) throw new ComponentException($"the program {program} does not exist: run ./hardway build");
        await using var file = File.OpenRead(program);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation));
    }

    private static string Hash(params string[] parts) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))))[..16];
}
