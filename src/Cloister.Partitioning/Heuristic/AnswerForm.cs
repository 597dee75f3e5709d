namespace Cloister.Partitioning.Heuristic;

/// <summary>What a classifier's output says of its classes.</summary>
public enum AnswerForm
{
    /// <summary>Probabilities: none negative, the sum 1.</summary>
    Probabilities = 0,

    /// <summary>Anything else, read as the exponents of a softmax.</summary>
    Logits = 1,
}
