using System.Text;
using Cloister.Serving.Partitioned;
using Cloister.Serving.Repository;

namespace Cloister.Serving.Tests.Partitioned;

/// <summary>The member <c>partition</c> of config.json.</summary>
public sealed class PartitionSettingTests
{
    [Fact]
    public void What_is_not_said_has_defaults() => Assert.Equal(new PartitionSetting(), Read("{}"));

    [Fact]
    public void Everything_can_be_said() => Assert.Equal(
        new PartitionSetting { TopK = 3, SpotChecks = 0.25, FallsBackInside = true, Deadline = TimeSpan.FromMilliseconds(1500), Depth = 2, MaximumBatch = 16, MaximumItems = 64 },
        Read("""{"topK":3,"spotChecks":0.25,"fallback":"inside","deadlineMilliseconds":1500,"depth":2,"maxBatchSize":16,"maxRequestItems":64}"""));

    [Theory]
    [InlineData("1", "must be an object")]
    [InlineData("""{"topK":0}""", "'topK' must be a whole number from 1 to 1000")]
    [InlineData("""{"topK":1,"topK":1}""", "twice")]
    [InlineData("""{"spotChecks":1.5}""", "'spotChecks' must be a number from 0 to 1")]
    [InlineData("""{"spotChecks":NaN}""", "'spotChecks' must be a number from 0 to 1")]
    [InlineData("""{"spotChecks":"all"}""", "'spotChecks' must be a number from 0 to 1")]
    [InlineData("""{"fallback":"outside"}""", "'fallback' must be refuse or inside")]
    [InlineData("""{"deadlineMilliseconds":0}""", "'deadlineMilliseconds'")]
    [InlineData("""{"depth":9}""", "'depth'")]
    [InlineData("""{"maxBatchSize":0}""", "'maxBatchSize'")]
    [InlineData("""{"maxRequestItems":0}""", "'maxRequestItems'")]
    [InlineData("""{"accelerators":[]}""", "a member of 'partition' is unknown")]
    public void What_means_nothing_is_refused(string json, string reason)
    {
        ServingException refusal = Assert.Throws<ServingException>(() => Read(json));
        Assert.Equal(ServingError.ConfigurationRefused, refusal.Error);
        Assert.Contains(reason, refusal.Message, StringComparison.OrdinalIgnoreCase);
    }

    private static PartitionSetting? Read(string partition) => ModelConfiguration.Read(Encoding.UTF8.GetBytes($$"""{"partition":{{partition}}}""")).Partition;
}
