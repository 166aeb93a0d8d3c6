using Hardway.Api.Core.V1;
using Microsoft.Extensions.Time.Testing;

namespace Hardway.Client.Tests;

public sealed class EventCorrelatorTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly EventCorrelator _correlator;

    public EventCorrelatorTests() => _correlator = new EventCorrelator(_time);

    private static Event About(string message)
    {
        var happened = new Event { Reason = "Failed", Message = message, Type = "Warning" };
        happened.InvolvedObject.Name = "pod";
        happened.Metadata.Name = "pod.1";
        return happened;
    }

    [Fact]
    public void The_same_again_counts_up()
    {
        Assert.Equal(1, _correlator.Correlate(About("a"))!.Count);
        Assert.Equal(2, _correlator.Correlate(About("a"))!.Count);
        Assert.Equal(1, _correlator.Correlate(About("b"))!.Count);
    }

    [Fact]
    public void Many_similar_ones_are_combined()
    {
        for (var i = 0; i < 10; i++) Assert.Equal(1, _correlator.Correlate(About($"message {i}"))!.Count);
        Assert.StartsWith("(combined from similar events): ", _correlator.Correlate(About("message 10"))!.Message, StringComparison.Ordinal);
        Assert.Equal(2, _correlator.Correlate(About("message 11"))!.Count);
    }

    [Fact]
    public void One_object_cannot_flood()
    {
        for (var i = 0; i < 25; i++) Assert.NotNull(_correlator.Correlate(About("a")));
        Assert.Null(_correlator.Correlate(About("a")));
        _time.Advance(TimeSpan.FromMinutes(5.1));
        Assert.NotNull(_correlator.Correlate(About("a")));
        Assert.Null(_correlator.Correlate(About("a")));
    }
}
