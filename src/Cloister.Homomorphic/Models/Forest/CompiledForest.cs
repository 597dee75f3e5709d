using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>A forest that scores rows it cannot read, one tree's leaf after another detected by the questions on its path: docs/encrypted-security.md says how and what it hides.</summary>
internal sealed class CompiledForest : CompiledModel
{
    private readonly LevelForest _forest;
    private readonly ForestLayout _layout;
    private readonly ForestCircuit _circuit;
    private bool _disposed;

    internal CompiledForest(ClientSpecification client, RlweParameters parameters, LevelForest forest)
    {
        (Client, Parameters, _forest) = (client, parameters, forest);
        _layout = ForestLayout.Of(client);
        _circuit = new ForestCircuit(parameters, forest, _layout, client.Parameters.AnswerBits);
    }

    /// <inheritdoc/>
    public override ClientSpecification Client { get; }

    /// <inheritdoc/>
    public override RlweParameters Parameters { get; }

    /// <inheritdoc/>
    public override EncryptedAnswer Evaluate(EncryptedQuery query, AnswerForm form, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        PublicKey key = Require(query);
        var compact = new List<CompactCiphertext>();
        var whole = new List<Ciphertext>();
        // A key from a seed that this process draws and forgets, for this answer alone.
        using SeedExpander stream = SeedExpander.Fresh();
        try
        {
            for (int row = 0; row < query.Rows; row++)
            {
                cancellation.ThrowIfCancellationRequested();
                _circuit.Evaluate([.. query.Ciphertexts.Skip(row * _layout.Inputs).Take(_layout.Inputs)], key, stream, form == AnswerForm.Compact ? compact : null, whole, cancellation);
            }
        }
        catch
        {
            foreach (Ciphertext ciphertext in whole) ciphertext.Dispose();
            throw;
        }
        return form == AnswerForm.Compact ? new EncryptedAnswer(query.Rows, compact) : new EncryptedAnswer(query.Rows, whole);
    }

    /// <inheritdoc/>
    public override ModelAnswer Predict(ReadOnlySpan<double> row)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (row.Length != _layout.Features) throw new HomomorphicException(HomomorphicError.FeatureCount, $"The row has {row.Length} features; the model has {_layout.Features}.");
        OutputSpecification output = Client.Output;
        double[] scores = [.. _forest.Score(row).Select((score, k) => score * output.Scales[k] + output.Offsets[k])];
        return ModelAnswer.Of(scores, output.Link, output.Classes, output.Threshold);
    }

    /// <inheritdoc/>
    public override byte[] ToBytes()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return CompiledModelFile.Write(Client, ForestServerHalf.Write(_forest));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_disposed) return;
        _disposed = true;
        foreach (LevelLeaf leaf in _forest.Parts.SelectMany(part => part).SelectMany(tree => tree.Leaves)) leaf.Values.AsSpan().Clear();
        _forest.Offsets.AsSpan().Clear();
        _circuit.Clear();
    }

    private PublicKey Require(EncryptedQuery query)
    {
        if (query.Rows < 1 || query.Ciphertexts.Count != (long)query.Rows * _layout.Inputs)
            throw new HomomorphicException(HomomorphicError.QueryLayout, $"The query has {query.Ciphertexts.Count} ciphertexts for {query.Rows} rows; the model takes {_layout.Inputs} a row, and at least one row.");
        foreach (Ciphertext ciphertext in query.Ciphertexts)
        {
            if (!ReferenceEquals(ciphertext.Parameters, Parameters) || ciphertext.Basis.Count != Parameters.Basis.Count)
                throw new HomomorphicException(HomomorphicError.QueryLayout, "A ciphertext of the query was not made with the model's parameters, or is not fresh.");
            if (ciphertext.C1.HasZeroLimb) throw new HomomorphicException(HomomorphicError.Transparent, "A ciphertext of the query can be read without a key. Encrypt the row.");
        }
        if (query.PublicKey is not { } key) throw new HomomorphicException(HomomorphicError.QueryPublicKey, "The query lacks the client's public key, which the model needs to hide itself in its answer.");
        if (!ReferenceEquals(key.Parameters, Parameters)) throw new HomomorphicException(HomomorphicError.QueryPublicKey, "The query's public key was not made with the model's parameters.");
        return key;
    }
}
