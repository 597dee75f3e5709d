namespace Cloister.Homomorphic.Models;

/// <summary>What becomes of a model's scores. The client computes it, in the clear, after it has decrypted the scores.</summary>
public enum LinkFunction
{
    /// <summary>The score is the prediction.</summary>
    Identity,

    /// <summary>1 / (1 + exp(-score)): the probability of the second of two classes.</summary>
    Logistic,

    /// <summary>exp(score_k) / sum of exp(score_i): one probability a class.</summary>
    Softmax,

    /// <summary>exp(score): Poisson, Gamma and Tweedie models with their logarithmic link.</summary>
    Exponential,
}
