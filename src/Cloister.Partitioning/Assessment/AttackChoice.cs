using System.Collections.Immutable;

namespace Cloister.Partitioning.Assessment;

/// <summary>Which attacks a plan comes to.</summary>
internal static class AttackChoice
{
    public static AttackList Of(AssessmentPlan plan)
    {
        if (plan.Model.ReadsTexts) return new AttackList(new TokenCalibrationUnit(), [new TokenUnit(plan.Texts)], null);
        var atCuts = ImmutableArray.CreateBuilder<IAttack>();
        atCuts.Add(new InversionUnit());
        if (plan.WhiteBox) atCuts.Add(new GradientUnit());
        if (plan.Oracle is { } oracle) atCuts.Add(new HeuristicUnit(oracle));
        return new AttackList(new CalibrationUnit(), atCuts.ToImmutable(), plan.PublicModels.IsEmpty ? null : new LabelUnit(plan.PublicModels, plan.Labels))
        {
            AtParts = plan.Members is { } members ? [new WeightUnit(plan.PublicModels), new MembershipUnit(members)] : [new WeightUnit(plan.PublicModels)],
        };
    }
}
