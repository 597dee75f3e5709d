using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>A model as a server holds it: it computes on ciphertexts and never sees a feature, a score or a key. Safe for concurrent use.</summary>
public abstract class CompiledModel : IDisposable
{
    /// <summary>What clients are told.</summary>
    public abstract ClientSpecification Client { get; }

    /// <summary>What ciphertexts are made with; queries must be read with this very object.</summary>
    public abstract RlweParameters Parameters { get; }

    /// <summary>Computes the answer. Its time depends on the number of rows and the public layout alone.</summary>
    /// <param name="query">Fresh ciphertexts.</param>
    /// <param name="form">The form of the answer.</param>
    /// <param name="cancellation">Stops between rows.</param>
    /// <exception cref="HomomorphicException">The query does not have the model's layout.</exception>
    public abstract EncryptedAnswer Evaluate(EncryptedQuery query, AnswerForm form, CancellationToken cancellation);

    /// <summary>What an encrypted row would decrypt to, computed in the clear: for its owner, to compare it with the model it was made of.</summary>
    /// <param name="row">One number a feature; NaN where it is absent and may be.</param>
    /// <exception cref="HomomorphicException">The row has another number of features, or lacks one that may not be absent.</exception>
    public abstract ModelAnswer Predict(ReadOnlySpan<double> row);

    /// <summary>The compiled model as bytes, secret as the model is: docs/formats says how they lie.</summary>
    public abstract byte[] ToBytes();

    /// <summary>Zeroes the model.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Zeroes the model.</summary>
    protected abstract void Dispose(bool disposing);
}
