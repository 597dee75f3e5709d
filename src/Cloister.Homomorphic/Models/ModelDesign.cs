namespace Cloister.Homomorphic.Models;

/// <summary>How a model is computed on ciphertexts.</summary>
public enum ModelDesign
{
    /// <summary>One product of polynomials gives the weighted sums of many rows.</summary>
    Linear,

    /// <summary>Features arrive as one-hot coefficients; a leaf's value comes out where no question on its path was answered otherwise.</summary>
    Forest,
}
