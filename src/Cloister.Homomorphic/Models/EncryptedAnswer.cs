using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>In what form a server answers.</summary>
public enum AnswerForm
{
    /// <summary>Small: for Cloister's own client.</summary>
    Compact,

    /// <summary>Whole ciphertexts: for SEAL's clients.</summary>
    Whole,
}

/// <summary>What a server answers: ciphertexts in the order of the design. Owns them.</summary>
public sealed class EncryptedAnswer : IDisposable
{
    /// <summary>Compact ciphertexts.</summary>
    public EncryptedAnswer(int rows, IReadOnlyList<CompactCiphertext> compact) => (Rows, Form, Compact) = (rows, AnswerForm.Compact, compact);

    /// <summary>Whole ciphertexts.</summary>
    public EncryptedAnswer(int rows, IReadOnlyList<Ciphertext> whole) => (Rows, Form, Whole) = (rows, AnswerForm.Whole, whole);

    /// <summary>How many rows were computed.</summary>
    public int Rows { get; }

    /// <summary>Which of the lists is filled.</summary>
    public AnswerForm Form { get; }

    /// <summary>The ciphertexts of a compact answer.</summary>
    public IReadOnlyList<CompactCiphertext> Compact { get; } = [];

    /// <summary>The ciphertexts of a whole answer.</summary>
    public IReadOnlyList<Ciphertext> Whole { get; } = [];

    /// <summary>Frees the ciphertexts; compact ones are empty from then on.</summary>
    public void Dispose()
    {
        foreach (CompactCiphertext ciphertext in Compact) ciphertext.Release();
        foreach (Ciphertext ciphertext in Whole) ciphertext.Dispose();
    }
}
