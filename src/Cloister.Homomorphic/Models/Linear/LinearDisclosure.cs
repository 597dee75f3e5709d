namespace Cloister.Homomorphic.Models;

/// <summary>What a client of a linear model learns, and who else learns nothing: the sentences of its specification.</summary>
internal static class LinearDisclosure
{
    internal static string[] Of(LinearModel model, LinearOptions options)
    {
        int features = model.Features.Count, scores = model.Scores;
        string rounding = "The client learns how features are rounded. Their ranges come from the calibration table, one scale for all weights and the number of steps from the model.";
        string outputs = $"Of each row the client learns {(scores == 1 ? "the score" : $"all {scores} scores")}, before the link, to the last bit that was computed: not the class or the probability alone.";
        string extraction = $"Scores are weighted sums: whoever knows the scores of {features + 1} rows of its choice can solve for all weights and the intercept{(scores == 1 ? "" : "s")}. One query may hold as many rows. No encryption prevents it; quotas do, or rounding by a party that both trust.";
        string answers = options.CircuitPrivacy
            ? "Answers are encrypted anew and flooded with noise: apart from the scores, one that the server computed on an honest query says nothing of the weights."
            : "Answers do not hide the model otherwise: the part of an answer that is needed to decrypt it is the query's known part times the weights, so one answer tells its receiver all rounded weights and, with the scores in it, the intercepts. Compile with circuit privacy where a single answer must not.";
        return [outputs, extraction, answers, rounding, "The server learns how many rows were asked, and nothing of features or scores."];
    }
}
