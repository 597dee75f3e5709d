using Cloister.Homomorphic;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;
using Cloister.Homomorphic.Wire.Seal;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Execution;

namespace Cloister.Serving.Encrypted;

/// <summary>
/// One query: its envelope is opened, its rows are paid for, then it is computed and answered. Until the envelope is open nothing of the body is
/// looked at, and every envelope that does not open is refused alike; what is refused later is its sender's own doing, who is told precisely.
/// </summary>
internal sealed class HomomorphicCall(HomomorphicEngine engine, Tensor input, IQueryAccount account) : IInference, IDisposable
{
    private readonly CancellationTokenSource _interrupted = new();
    private readonly Lock _gate = new();
    private bool _disposed;

    /// <summary>The sealed answer; null unless the run has ended well.</summary>
    public Tensor? Answer { get; private set; }

    /// <summary>How many rows were answered.</summary>
    public int Rows { get; private set; }

    public void Execute()
    {
        // Whoever sends what is refused pays for a row, too.
        account.ChargeRows(1, 0);
        ReadOnlySpan<byte> envelope = input.Bytes;
        EnvelopeHeader header = ReadHeader(envelope);
        byte[] body = engine.Keys.Open(envelope, header, out EnvelopeKey key);
        using (key)
        {
            bool seal = header.Kind == EnvelopeKind.SealQuery;
            byte[] answer = Evaluate(body, seal);
            byte[] sealing = Envelope.Seal(header with { Kind = seal ? EnvelopeKind.SealAnswer : EnvelopeKind.Answer }, answer, key);
            var tensor = new Tensor(TensorElementType.UInt8, [sealing.Length], engine.Pool.Rent(sealing.Length));
            sealing.CopyTo(tensor.Bytes);
            Answer = tensor;
        }
    }

    public void Interrupt()
    {
        // It may come when the run has just ended.
        lock (_gate)
            if (!_disposed) _interrupted.Cancel();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _interrupted.Dispose();
        }
    }

    // All of this stands in clear and is no secret: it may be refused precisely.
    private EnvelopeHeader ReadHeader(ReadOnlySpan<byte> envelope)
    {
        EnvelopeHeader header;
        try
        {
            header = Envelope.ReadHeader(envelope);
        }
        catch (HomomorphicException refusal)
        {
            throw new ServingException(ServingError.EnvelopeMalformed, $"The query is no envelope (error {(int)refusal.Error}): {refusal.Message}", refusal);
        }
        if (header.Kind is not (EnvelopeKind.Query or EnvelopeKind.SealQuery))
            throw new ServingException(ServingError.EnvelopeMalformed, $"The envelope holds kind {(int)header.Kind}; the kinds {(int)EnvelopeKind.Query} and {(int)EnvelopeKind.SealQuery} are answered here.");
        if (!header.ModelDigest.Span.SequenceEqual(engine.Digest.Span))
            throw new ServingException(ServingError.OtherModelServed,
                $"The query is for the model of digest {Convert.ToHexStringLower(header.ModelDigest.Span)}; served is {engine.Model.Client.Digest}. Fetch its specification, register the key and encrypt anew.");
        if (account.Owner is { } owner && !owner.Span.SequenceEqual(header.Owner.Span))
            throw new ServingException(ServingError.OtherOwner, "The query is another caller's: register the key as the caller who asks.");
        return header;
    }

    private byte[] Evaluate(byte[] body, bool seal)
    {
        CompiledModel model = engine.Model;
        try
        {
            SealVersion version = default;
            using EncryptedQuery query = seal ? SealQueryFormat.Read(body, model.Parameters, model.Client, out version) : QueryFormat.Read(body, model.Parameters, model.Client);
            using PublicKey? clientKey = query.PublicKey;
            account.ChargeRows(query.Rows, 1);
            using EncryptedAnswer answer = model.Evaluate(query, seal ? AnswerForm.Whole : AnswerForm.Compact, _interrupted.Token);
            Rows = query.Rows;
            return seal ? SealQueryFormat.WriteAnswer(answer, version) : AnswerFormat.Write(answer, model.Parameters, model.Client);
        }
        catch (HomomorphicException refusal)
        {
            throw new ServingException(ServingError.QueryRefused, $"The query is refused (error {(int)refusal.Error}): {refusal.Message}", refusal);
        }
    }
}
