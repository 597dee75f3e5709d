using System.Globalization;
using Cloister.Protocol.Trust;

namespace Cloister.Protocol.Manifest;

/// <summary>Decodes and checks models.</summary>
internal sealed class ModelMembers(GoDecoder go, ManifestProblems problems)
{
    private static readonly string[] s_model = ["Digest", "MakerKey", "Secret", "MinimumVersion", "Mode", "Partition"];
    private static readonly string[] s_partition = ["Assessor", "MinimumScores"];

    public ManifestModel Model(GoNode node)
    {
        var model = new ManifestModel();
        foreach ((string name, GoNode member) in go.Members(node, "Model", s_model))
            model = name switch
            {
                "Digest" => model with { Digest = go.String(member, model.Digest) },
                "MakerKey" => model with { MakerKey = Base64(member) },
                "Secret" => model with { Secret = go.String(member, model.Secret) },
                "MinimumVersion" => model with { MinimumVersion = (long)go.UInt(member, 0, long.MaxValue, "int64") },
                "Mode" => model with { Mode = member.Value.Kind == GoKind.Null ? null : go.String(member, "") },
                _ => model with { Partition = Partition(member) },
            };
        if (model.Mode != ModelModes.Partitioned) return model;
        // Whoever made the model vouches for its report, unless somebody else is named.
        ManifestPartition demanded = model.Partition ?? new ManifestPartition();
        return model with { Partition = demanded.AssessorKey.IsEmpty ? demanded with { AssessorKey = model.MakerKey } : demanded };
    }

    private ManifestPartition? Partition(GoNode node)
    {
        if (node.Value.Kind == GoKind.Null) return null;
        var partition = new ManifestPartition();
        foreach ((string name, GoNode member) in go.Members(node, "Partition", s_partition))
            partition = name == "Assessor"
                ? partition with { AssessorKey = Assessor(member) }
                : partition with { MinimumScores = go.Map(member, partition.MinimumScores, "float64", Score) };
        return partition;
    }

    // Refused here, where it is still known that somebody was named: an empty key stands for the maker's.
    private byte[] Assessor(GoNode node)
    {
        if (node.Value.Kind == GoKind.Null) return [];
        byte[] key = Base64(node);
        if (!MakerKeys.IsValid(key))
            problems.Add(ManifestProblemCode.ModelPartitionWrong, node.Field, "is not base64 of an Ed25519 or P-256 SubjectPublicKeyInfo; leave it out for the maker's own key");
        return key;
    }

    private double Score(GoNode node)
    {
        if (node.Value.Kind != GoKind.Number)
            go.WrongType(node, "float64");
        // Comparisons with what is not a number are false, and refuse.
        else if (!(double.TryParse(node.Value.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double score) && score is >= 0 and <= 1))
            problems.Add(ManifestProblemCode.ModelPartitionWrong, node.Field, $"{node.Value.Text} is not from 0 (everything was found) to 1 (nothing beyond chance)");
        else
            return score;
        return 1;
    }

    public static void Check(ManifestDocument manifest, string name, ManifestModel model, ManifestProblems problems)
    {
        string at = $"Models.{name}";
        if (!ManifestFingerprint.IsValid(model.Digest))
            problems.Add(ManifestProblemCode.ModelDigestWrong, $"{at}.Digest", "is not 64 lower-case hex digits; 'cloister model inspect' prints the digest");
        if (!MakerKeys.IsValid(model.MakerKey))
            problems.Add(ManifestProblemCode.ModelMakerKeyWrong, $"{at}.MakerKey", "is not base64 of an Ed25519 or P-256 SubjectPublicKeyInfo");
        if (!manifest.Secrets.TryGetValue(model.Secret, out ManifestSecret? secret))
            problems.Add(ManifestProblemCode.ModelSecretWrong, $"{at}.Secret", $"names the secret '{model.Secret}', which is not defined");
        else if (secret is not { Type: ManifestSecretTypes.SymmetricKey, Size: 256, UserDefined: true })
            problems.Add(ManifestProblemCode.ModelSecretWrong, $"{at}.Secret", $"the secret '{model.Secret}' must be a user-defined symmetric-key of 256 bits");
        CheckMode(at, model, problems);
        if (!manifest.Marbles.Values.Any(marble => marble.Models.Contains(name)))
            problems.Warn(ManifestProblemCode.ModelUnused, at, "no marble lists this model, so nothing can open it");
    }

    private static void CheckMode(string at, ManifestModel model, ManifestProblems problems)
    {
        if (model.Mode == ModelModes.Masked)
            problems.Add(ManifestProblemCode.ModelModeWrong, $"{at}.Mode", $"'{ModelModes.Masked}' is not built yet, so nothing could keep it; choose {ModelModes.Enclave}, {ModelModes.Partitioned} or {ModelModes.Encrypted}");
        else if (model.Mode is { } mode && !ModelModes.All.Contains(mode))
            problems.Add(ManifestProblemCode.ModelModeWrong, $"{at}.Mode", $"'{mode}' is none of {ModelModes.Enclave}, {ModelModes.Partitioned}, {ModelModes.Encrypted}");
        if (model.Partition is not { } partition) return;
        if (model.Mode != ModelModes.Partitioned)
            problems.Add(ManifestProblemCode.ModelPartitionWrong, $"{at}.Partition", $"is for a model with \"Mode\": \"{ModelModes.Partitioned}\" alone; state that mode, or leave it out");
        foreach (string score in partition.MinimumScores.Keys.Where(score => !PartitionScores.All.Contains(score)))
            problems.Add(ManifestProblemCode.ModelPartitionWrong, $"{at}.Partition.MinimumScores.{score}", $"there is no score of this name; there are {string.Join(", ", PartitionScores.All)}");
        string[] demanded = [.. partition.MinimumScores.Where(score => score.Value > 0).Select(score => score.Key)];
        if (demanded is [PartitionScores.Heuristic])
            problems.Add(ManifestProblemCode.ModelPartitionWrong, $"{at}.Partition.MinimumScores", $"'{PartitionScores.Heuristic}' passes layers from which the input can be rebuilt; demand a score of an attack beside it");
        else if (demanded.Length == 0 && model.Mode == ModelModes.Partitioned)
            problems.Warn(ManifestProblemCode.ModelPartitionUnbounded, $"{at}.Partition.MinimumScores", "demands nothing, so a cut that gives the whole input away is accepted if its report says so");
    }

    /// <summary>The modes of a marble's models must fit into the evidence that states them.</summary>
    public static void CheckStated(string type, ManifestMarble marble, ManifestDocument manifest, ManifestProblems problems)
    {
        var statement = new WorkloadStatement(type, Guid.Empty.ToString("D"), new string('0', 64)) { Modes = manifest.ModesOf(marble) };
        if (!statement.Modes.IsEmpty && statement.ToBytes().Length > WorkloadStatement.MaxBytes)
            problems.Add(ManifestProblemCode.MarbleModelWrong, $"Marbles.{type}.Models",
                $"the modes of {statement.Modes.Count} models are more than evidence can state ({WorkloadStatement.MaxBytes} bytes); leave Mode out where it is no demand, or spread the models over several marbles");
    }

    private byte[] Base64(GoNode node)
    {
        string text = go.String(node, "");
        return GoBase64.TryDecode(text, out byte[] bytes) ? bytes : [];
    }
}
