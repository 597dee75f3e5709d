using System.Text.Json;
using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import.Xgboost;

/// <summary>Reads XGBoost's JSON models, as <c>save_model("model.json")</c> writes them (XGBoost, doc/model.schema and src/learner.cc).</summary>
internal static class XgboostReader
{
    private static readonly string[] LearnerMembers = ["attributes", "feature_names", "feature_types", "gradient_booster", "learner_model_param", "objective"];

    public static PlainModel Read(ReadOnlyMemory<byte> bytes, ImportOptions options)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 32 });
            return Read(new XgboostValue(document.RootElement, "model"), options);
        }
        catch (JsonException e)
        {
            throw new ImportException(ImportError.Malformed, $"The JSON file is damaged near line {e.LineNumber + 1}, byte {e.BytePositionInLine}.", e);
        }
        catch (InvalidOperationException e)
        {
            // System.Text.Json decodes late: a text or a name that is not Unicode shows when it is asked for.
            throw new ImportException(ImportError.Malformed, "The JSON file has a text or a name that is not Unicode.", e);
        }
    }

    private static PlainModel Read(XgboostValue root, ImportOptions options)
    {
        if (!root.Has("learner"))
            throw new ImportException(ImportError.UnknownKind, "The JSON file has no learner; of JSON files those of XGBoost's save_model are read.");
        root.Demand("learner", "version", "Config");
        XgboostValue learner = root["learner"];
        learner.Demand(LearnerMembers);
        XgboostValue parameters = learner["learner_model_param"];
        int features = parameters["num_feature"].Count(options.MaxFeatures);
        int classes = parameters.Find("num_class")?.Count(options.MaxScores, least: 0) ?? 0, targets = parameters.Find("num_target")?.Count(options.MaxScores) ?? 1;
        int scores = Math.Max(Math.Max(classes, targets), 1);
        XgboostObjective objective = XgboostObjective.Of(learner["objective"]["name"].Text(), scores);
        double[] bases = objective.Margins(parameters["base_score"].List(), scores);
        string[] names = learner.Find("feature_names")?.Texts() ?? [];
        if (names.Length == 0) names = [.. Enumerable.Range(0, features).Select(i => $"f{i}")];
        if (names.Length != features) throw new ImportException(ImportError.LengthMismatch, $"The XGBoost model names {names.Length} of {features} features.");
        PlainModel model = XgboostBooster.Read(learner["gradient_booster"], features, scores, bases, options);
        return FinishedModel.Of(model with { Link = objective.Link, Classes = objective.Classes }, names, options);
    }
}
