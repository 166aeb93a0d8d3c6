namespace Hardway.Guide;

/// <summary>The guide does what it says.</summary>
public sealed class GuideTests(GuideFixture guide)
{
    public static TheoryData<string> Modules => [.. GuideFixture.Modules];

    [Theory]
    [MemberData(nameof(Modules))]
    public Task Every_command_of_the_module_prints_what_its_text_says(string module) => guide.RunThroughAsync(module);

    [Fact]
    public void Every_link_of_the_guide_leads_to_a_file()
    {
        var broken = Directory.GetFiles(Path.Combine(GuideFixture.Folder, ".."), "*.md", SearchOption.AllDirectories)
            .SelectMany(file => System.Text.RegularExpressions.Regex.Matches(File.ReadAllText(file), @"\]\(([^)#:]+)(#[^)]*)?\)").Select(m => (File: file, To: m.Groups[1].Value)))
            .Where(l => !Path.Exists(Path.Combine(Path.GetDirectoryName(l.File)!, l.To)));

        Assert.Empty(broken);
    }
}
