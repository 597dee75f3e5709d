namespace Cloister.Partitioning.Assessment;

/// <summary>Which attacks a plan comes to.</summary>
internal static class AttackChoice
{
    public static AttackList Of(AssessmentPlan plan) => throw new PartitioningException(PartitioningError.ModelRefused, $"No attack fits '{plan.Model.Name}'.");
}
