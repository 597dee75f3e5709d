using Cloister.Coordinator.State;
using Cloister.Protocol;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Templates;
using Google.Protobuf;

namespace Cloister.Coordinator.Activation;

/// <summary>Renders what a marble receives into its answer.</summary>
internal static class GrantedParameters
{
    /// <summary>Files, environment and arguments of MarbleRun's answer.</summary>
    /// <exception cref="CoordinatorException">ParametersRefused: a template names what is not there.</exception>
    public static Parameters Render(MarblePlan plan, TemplateData data)
    {
        var parameters = new Parameters();
        foreach (PlannedContent file in plan.Files)
            parameters.Files.Add(file.Name, Render(plan, file, data));
        foreach (PlannedContent variable in plan.Env)
            parameters.Env.Add(variable.Name, Render(plan, variable, data));
        parameters.Argv.AddRange(plan.Marble.Parameters.Argv);
        return parameters;
    }

    /// <summary>Cloister's additions: models with their keys, callers, and what anybody may call.</summary>
    public static void AddGrants(ActivationResp answer, MarblePlan plan, TemplateData data)
    {
        foreach (GrantedModel granted in plan.Models)
        {
            answer.Models.Add(new ModelGrant
            {
                Name = granted.Name,
                Digest = ByteString.CopyFrom(Convert.FromHexString(granted.Model.Digest)),
                MakerKey = ByteString.CopyFrom(granted.Model.MakerKey.Span),
                MinimumVersion = granted.Model.MinimumVersion,
                Mode = granted.Model.Mode ?? "",
                Partition = Demanded(granted.Model.Partition),
                Key = ByteString.CopyFrom(ModelKey(granted, data).Span),
            });
        }
        GrantedCallers.Add(answer, plan);
    }

    private static PartitionGrant? Demanded(ManifestPartition? partition) => partition is null ? null : new PartitionGrant
    {
        AssessorKey = ByteString.CopyFrom(partition.AssessorKey.Span),
        MinimumScores = { partition.MinimumScores.Select(score => new ScoreGrant { Name = score.Key, Minimum = score.Value }) },
    };

    /// <summary>What templates see, before the marble's own certificate is there.</summary>
    public static TemplateData Data(CoordinatorSnapshot snapshot) => new()
    {
        MarbleRoot = snapshot.Authority.MarbleRoot.RawDataMemory,
        CoordinatorRoot = snapshot.Authority.Root.RawDataMemory,
        CoordinatorIntermediate = snapshot.Authority.Intermediate.RawDataMemory,
    };

    private static ReadOnlyMemory<byte> ModelKey(GrantedModel granted, TemplateData data) =>
        data.Secrets.TryGet(granted.Model.Secret, out TemplateSecret? secret) && secret.Value is { } value ? value.Private : throw NeededSecrets.Awaiting([granted.Model.Secret]);

    private static ByteString Render(MarblePlan plan, PlannedContent content, TemplateData data)
    {
        if (content.Template is null)
            return ByteString.CopyFrom(content.Literal.Span);
        try
        {
            // The answer takes the rendered bytes over; nobody else holds them.
            return UnsafeByteOperations.UnsafeWrap(content.Template.Render(data));
        }
        catch (ProtocolException error) when (error.Error == ProtocolError.TemplateSecretUnset)
        {
            throw NeededSecrets.Awaiting([error.Field], error);
        }
        catch (ProtocolException error)
        {
            throw new CoordinatorException(CoordinatorError.ParametersRefused, $"'{content.Name}' of workload type '{plan.Type}' cannot be rendered: {error.Message}", error);
        }
    }
}
