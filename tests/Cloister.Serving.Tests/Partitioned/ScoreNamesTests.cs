using Cloister.Partitioning.Reports;
using Cloister.Protocol.Manifest;

namespace Cloister.Serving.Tests.Partitioned;

public sealed class ScoreNamesTests
{
    [Fact]
    public void A_manifest_demands_scores_by_the_names_that_reports_have() =>
        Assert.Equal(ProtectionScores.All.Order(StringComparer.Ordinal), PartitionScores.All.Order(StringComparer.Ordinal));
}
