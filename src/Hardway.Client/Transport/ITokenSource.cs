namespace Hardway.Client;

/// <summary>Gives the bearer token for the next request; null for none. Safe for all threads.</summary>
public interface ITokenSource
{
    ValueTask<string?> GetAsync(CancellationToken cancellationToken);

    /// <summary>The server refused the token (401): forget what is cached.</summary>
    void Invalidate();
}
