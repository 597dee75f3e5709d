using System.Collections.Concurrent;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>
/// A linear model on ciphertexts. Of every row set: one product with the weights, values by values, one transform back for each part, the intercepts
/// added in the clear, and the sums' coefficients alone rescaled and sent. What it does depends on the number of rows and the layout alone; nothing
/// branches on a ciphertext or a weight.
/// </summary>
internal sealed class LinearCircuit : CompiledModel
{
    private readonly LinearLayout _layout;
    private readonly LinearWeights _weights;
    private readonly RnsPolynomial[] _factors;    // one a ciphertext of a row set; values
    private readonly RnsPolynomial _intercepts;   // coefficients; score k's stands at k
    private readonly CompactScaling _scaling;
    private readonly int _floodBits;
    private readonly ConcurrentBag<Scratch> _scratch = [];

    private LinearCircuit(ClientSpecification client, RlweParameters parameters, LinearLayout layout, LinearWeights weights)
    {
        (Client, Parameters, _layout, _weights) = (client, parameters, layout, weights);
        _scaling = new CompactScaling(parameters.Basis, client.Parameters.AnswerBits);
        _floodBits = LinearBudget.FloodBits(LinearBudget.Noise(weights.Total), layout.Degree);
        _factors = [.. Enumerable.Range(0, layout.Groups).Select(Factor)];
        _intercepts = Intercepts();
    }

    public override ClientSpecification Client { get; }

    public override RlweParameters Parameters { get; }

    /// <summary>Makes a model of its halves and proves that it never fails.</summary>
    /// <param name="client">With its digest.</param>
    /// <param name="weights">Taken over.</param>
    /// <exception cref="HomomorphicException">The halves do not belong together.</exception>
    internal static LinearCircuit Create(ClientSpecification client, LinearWeights weights)
    {
        RlweParameters parameters = ParameterSpecifications.Create(client.Parameters);
        LinearLayout layout = LinearLayout.Of(client);
        if (weights.Total == 0) throw new HomomorphicException(HomomorphicError.ModelShape, "All weights are zero, or too small to be told from it: the model does not look at its features.");
        for (int k = 0; k < weights.Scores; k++)
            if (LinearBudget.Sum(weights.Of(k), weights.Intercept(k), client.Features) >= (long)(client.Parameters.PlaintextModulus + 1) / 2)
                throw new HomomorphicException(HomomorphicError.NoRoom, $"The sums of score {k} can exceed the plaintext modulus.");
        bool hidden = client.Parameters.CircuitPrivacy;
        if ((hidden && LinearBudget.FloodBits(LinearBudget.Noise(weights.Total), layout.Degree) > Flooding.MaximumBits)
            || !CompactCiphertext.Carries(parameters, parameters.Basis.Product, client.Parameters.AnswerBits, LinearBudget.AnswerNoise(weights.Total, parameters, hidden)))
            throw new HomomorphicException(HomomorphicError.NoRoom, "The noise of the answers can exceed what decrypts with certainty.");
        return new LinearCircuit(client, parameters, layout, weights);
    }

    /// <exception cref="HomomorphicException">The server's half is refused.</exception>
    internal static LinearCircuit Read(ClientSpecification client, ReadOnlySpan<byte> server)
    {
        LinearWeights weights = LinearWeights.Read(server, client.Features.Count, client.Output.Scales.Count);
        try
        {
            return Create(client, weights);
        }
        catch (HomomorphicException)
        {
            weights.Dispose();
            throw;
        }
    }

    public override ModelAnswer Predict(ReadOnlySpan<double> row)
    {
        LinearQuantiser.Require(Client.Features, [row.ToArray()]);
        var integers = new int[row.Length];
        for (int i = 0; i < integers.Length; i++) integers[i] = LinearQuantiser.Quantise(row[i], Client.Features[i], out _);
        OutputSpecification output = Client.Output;
        var scores = new double[_weights.Scores];
        for (int k = 0; k < scores.Length; k++)
        {
            long sum = _weights.Intercept(k); // less than t / 2 in size: Create proved it
            for (int i = 0; i < integers.Length; i++) sum += (long)integers[i] * _weights.Of(k)[i];
            scores[k] = sum * output.Scales[k] + output.Offsets[k];
        }
        return ModelAnswer.Of(scores, output.Link, output.Classes, output.Threshold);
    }

    public override byte[] ToBytes() => CompiledModelFile.Write(Client, _weights.ToBytes());

    public override EncryptedAnswer Evaluate(EncryptedQuery query, AnswerForm form, CancellationToken cancellation)
    {
        RequireLayout(query);
        int sets = _layout.RowSets(query.Rows);
        var compact = new CompactCiphertext[form == AnswerForm.Compact ? sets : 0];
        var whole = new List<Ciphertext>(sets - compact.Length);
        if (!_scratch.TryTake(out Scratch? scratch)) scratch = new Scratch(Parameters.Basis);
        using SeedExpander? stream = form == AnswerForm.Whole || Client.Parameters.CircuitPrivacy ? SeedExpander.Fresh() : null;
        try
        {
            for (int set = 0; set < sets; set++)
            {
                cancellation.ThrowIfCancellationRequested();
                int sums = _layout.RowsOf(set, query.Rows) * _layout.Scores;
                if (stream is null)
                {
                    compact[set] = Compact(query, set, sums, scratch.C0);
                    continue;
                }
                Compute(query, set, sums, scratch, stream);
                if (form == AnswerForm.Compact) compact[set] = CompactCiphertext.Of(scratch.C0, scratch.C1, _scaling, _layout.First, _layout.Step, sums);
                else whole.Add(Whole(scratch, sums, stream));
            }
        }
        catch
        {
            foreach (Ciphertext ciphertext in whole) ciphertext.Dispose();
            throw;
        }
        finally
        {
            _scratch.Add(scratch);
        }
        return form == AnswerForm.Compact ? new EncryptedAnswer(query.Rows, compact) : new EncryptedAnswer(query.Rows, whole);
    }

    protected override void Dispose(bool disposing)
    {
        _weights.Dispose();
        _intercepts.Dispose();
        foreach (RnsPolynomial factor in _factors) factor.Dispose();
        while (_scratch.TryTake(out Scratch? scratch)) scratch.Dispose();
    }

    // Both parts, one after the other in the same memory: with that of two the transform's tables would not stay in the processor's first cache.
    private CompactCiphertext Compact(EncryptedQuery query, int set, int sums, RnsPolynomial part)
    {
        Multiply(query, set, second: false, part);
        part.ToCoefficients();
        AddIntercepts(part, sums);
        ulong[] carried = CompactCiphertext.Carry(part, _scaling, _layout.First, _layout.Step, sums);
        Multiply(query, set, second: true, part);
        part.ToCoefficients();
        return CompactCiphertext.Of(carried, part, _scaling, _layout.First, _layout.Step);
    }

    private void Multiply(EncryptedQuery query, int set, bool second, RnsPolynomial product)
    {
        product.Form = RnsForm.Values;
        for (int group = 0; group < _factors.Length; group++)
        {
            Ciphertext ciphertext = query.Ciphertexts[set * _factors.Length + group];
            RnsPolynomial part = second ? ciphertext.C1 : ciphertext.C0;
            if (group == 0) product.Run<Multiplication>(part, _factors[0]);
            else product.AddProduct(part, _factors[group]);
        }
    }

    private void Compute(EncryptedQuery query, int set, int sums, Scratch scratch, SeedExpander stream)
    {
        Multiply(query, set, second: false, scratch.C0);
        Multiply(query, set, second: true, scratch.C1);
        if (query.PublicKey is { } key) Flooding.Mask(key, stream, scratch.C0, scratch.C1, scratch.Other);
        scratch.C0.ToCoefficients();
        scratch.C1.ToCoefficients();
        AddIntercepts(scratch.C0, sums);
        if (query.PublicKey is not null) Flooding.Flood(stream, scratch.C0, scratch.C1, _floodBits, _layout.First, _layout.Step, sums, scratch.Other);
    }

    private void AddIntercepts(RnsPolynomial c0, int sums)
    {
        for (int limb = 0; limb < Parameters.Basis.Count; limb++)
        {
            Modulus q = Parameters.Basis.Moduli[limb];
            Span<double> coefficients = c0.Limb(limb), intercepts = _intercepts.Limb(limb);
            for (int i = 0, k = 0; i < sums; i++, k = k + 1 == _layout.Scores ? 0 : k + 1)
            {
                ref double coefficient = ref coefficients[_layout.First + i * _layout.Step];
                coefficient = Modulus.Reduce(coefficient + intercepts[k], q.P, q.Inverse);
            }
        }
    }

    // Whatever is not a sum tells of the weights: it is replaced by what tells nothing.
    private Ciphertext Whole(Scratch scratch, int sums, SeedExpander stream)
    {
        var answer = new Ciphertext(Parameters, Parameters.Basis);
        answer.C0.CopyFrom(scratch.C0);
        answer.C1.CopyFrom(scratch.C1);
        Flooding.HideOthers(stream, answer.C0, _layout.First, _layout.Step, sums, scratch.Other);
        answer.C0.ToValues();
        answer.C1.ToValues();
        return answer;
    }

    private void RequireLayout(EncryptedQuery query)
    {
        if (query.Rows < 1 || query.Rows > (long)LinearLayout.MaximumRowSets * _layout.Rows) throw Refuse($"it says that it has {query.Rows} rows; 1 to {LinearLayout.MaximumRowSets * (long)_layout.Rows} are answered");
        int expected = _layout.RowSets(query.Rows) * _layout.Groups;
        if (query.Ciphertexts.Count != expected) throw Refuse($"it has {query.Ciphertexts.Count} ciphertexts for {query.Rows} rows instead of {expected}");
        foreach (Ciphertext ciphertext in query.Ciphertexts)
        {
            if (!ciphertext.Parameters.IsLike(Parameters)) throw Refuse("a ciphertext has other parameters");
            if (ciphertext.Basis.Count != Parameters.Basis.Count) throw Refuse($"a ciphertext has {ciphertext.Basis.Count} moduli instead of {Parameters.Basis.Count}");
            if (ciphertext.C1.HasZeroLimb) throw new HomomorphicException(HomomorphicError.Transparent, "A ciphertext of the query can be read without a key: its second part is zero.");
        }
        if (Client.Parameters.CircuitPrivacy != query.PublicKey is not null || (query.PublicKey is { } key && !key.Parameters.IsLike(Parameters)))
            throw new HomomorphicException(HomomorphicError.QueryPublicKey, Client.Parameters.CircuitPrivacy ? "The model hides itself in its answers: the query must bring the client's public key for the model's parameters." : "The model has no use for a public key.");
    }

    private RnsPolynomial Factor(int group)
    {
        var coefficients = new double[_layout.Degree];
        for (int k = 0; k < _layout.Scores; k++)
        {
            ReadOnlySpan<int> weights = _weights.Of(k);
            for (int i = group * _layout.PerCiphertext; i < Math.Min(weights.Length, (group + 1) * _layout.PerCiphertext); i++) coefficients[_layout.PlaceOfWeight(k, i)] = weights[i];
        }
        var factor = new RnsPolynomial(Parameters.Basis);
        for (int limb = 0; limb < Parameters.Basis.Count; limb++)
        {
            Modulus q = Parameters.Basis.Moduli[limb];
            Span<double> residues = factor.Limb(limb);
            for (int i = 0; i < residues.Length; i++) residues[i] = Modulus.Reduce(coefficients[i], q.P, q.Inverse);
        }
        factor.ToValues();
        Array.Clear(coefficients);
        return factor;
    }

    private RnsPolynomial Intercepts()
    {
        var message = new ulong[_layout.Degree];
        for (int k = 0; k < _layout.Scores; k++) message[k] = (ulong)(_weights.Intercept(k) + (_weights.Intercept(k) >> 63 & (long)Parameters.Plaintext.Value));
        var polynomial = new RnsPolynomial(Parameters.Basis);
        Parameters.AddMessage(message, polynomial);
        Array.Clear(message);
        return polynomial;
    }

    private static HomomorphicException Refuse(string reason) => new(HomomorphicError.QueryLayout, $"The query does not have the model's layout: {reason}.");

    private sealed class Scratch(RnsBasis basis) : IDisposable
    {
        internal RnsPolynomial C0 { get; } = new(basis, RnsForm.Values);

        internal RnsPolynomial C1 { get; } = new(basis, RnsForm.Values);

        internal RnsPolynomial Other { get; } = new(basis);

        public void Dispose()
        {
            C0.Dispose();
            C1.Dispose();
            Other.Dispose();
        }
    }
}
