using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>Computes the answer to one row. What it draws for one answer it never uses again.</summary>
internal sealed unsafe class ForestCircuit
{
    // Groups computed side by side, so that a query's ciphertext comes from memory once for all of them while their sums stay in the second-level cache.
    private const int AtOnce = 3;

    private readonly RlweParameters _parameters;
    private readonly ForestLayout _layout;
    private readonly ForestPart[] _parts;
    private readonly CompactScaling _scaling;
    private readonly double[] _minusInverses; // limb: -t^-1 modulo its prime
    private readonly ulong _product;          // Q modulo t

    internal ForestCircuit(RlweParameters parameters, LevelForest forest, ForestLayout layout, int answerBits)
    {
        (_parameters, _layout) = (parameters, layout);
        _parts = ForestPart.Of(forest, layout);
        _scaling = new CompactScaling(parameters.Basis, answerBits);
        Modulus t = parameters.Plaintext;
        _minusInverses = [.. parameters.Basis.Moduli.Select(q => -q.Balance(q.Invert(t.Value)))];
        _product = (ulong)(parameters.Basis.Product % t.Value);
    }

    /// <summary>Appends a row's answers, part by part and group by group: what detects, then values.</summary>
    /// <param name="row">Its ciphertexts.</param>
    /// <param name="key">The client's.</param>
    /// <param name="stream">Randomness of this answer.</param>
    /// <param name="compact">Receives compact ciphertexts, or null.</param>
    /// <param name="whole">Receives whole ones otherwise.</param>
    /// <param name="cancellation">Stops between groups.</param>
    internal void Evaluate(Ciphertext[] row, PublicKey key, SeedExpander stream, List<CompactCiphertext>? compact, List<Ciphertext> whole, CancellationToken cancellation)
    {
        int outputs = 1 + _layout.Values;
        using var draws = new UniformDraws(stream);
        using var sums = new GroupSums(_parameters.Basis, AtOnce * outputs);
        var factors = new GroupFactors[AtOnce];
        for (int i = 0; i < AtOnce; i++) factors[i] = new GroupFactors(_layout.Inputs, outputs, _layout.Leaves, _layout.PerCiphertext);
        try
        {
            foreach (ForestPart part in _parts)
            {
                int[] order = [.. Enumerable.Range(0, part.Groups * _layout.Leaves)], masks = Masks(part, draws);
                draws.Shuffle(order);
                for (int group = 0; group < part.Groups; group += AtOnce)
                {
                    cancellation.ThrowIfCancellationRequested();
                    int count = Math.Min(AtOnce, part.Groups - group);
                    for (int i = 0; i < count; i++) factors[i].Draw(part, order.AsSpan((group + i) * _layout.Leaves, _layout.Leaves), masks, draws);
                    sums.Clear();
                    for (int input = 0; input < row.Length; input++)
                        for (int i = 0; i < count; i++)
                            for (int output = 0; output < outputs && !factors[i].IsIdle(input); output++)
                                sums.Add(i * outputs + output, row[input], factor => factors[i].Write(input, output, factor));
                    for (int i = 0; i < count; i++)
                        for (int output = 0; output < outputs; output++) Finish(sums, i * outputs + output, factors[i], output, key, stream, compact, whole);
                }
                Array.Clear(order);
                Array.Clear(masks);
            }
        }
        finally
        {
            foreach (GroupFactors group in factors) group.Clear();
        }
    }

    /// <summary>Forgets the leaves.</summary>
    internal void Clear()
    {
        foreach (ForestLeaf leaf in _parts.SelectMany(part => part.Leaves)) Array.Clear(leaf.Values);
        foreach (ForestPart part in _parts) Array.Clear(part.Offsets);
    }

    // One a tree and value, uniform but for their sum, which is the score's offset: any values of fewer than all trees are uniform.
    private int[] Masks(ForestPart part, UniformDraws draws)
    {
        uint t = (uint)_parameters.Plaintext.Value;
        int values = part.Offsets.Length;
        var masks = new int[part.Trees * values];
        for (int k = 0; k < values; k++)
        {
            long rest = part.Offsets[k];
            for (int tree = 1; tree < part.Trees; tree++) rest -= masks[tree * values + k] = (int)draws.Below(t);
            masks[k] = (int)((rest % t + t) % t);
        }
        return masks;
    }

    private void Finish(GroupSums sums, int at, GroupFactors factors, int output, PublicKey key, SeedExpander stream, List<CompactCiphertext>? compact, List<Ciphertext> whole)
    {
        (RnsPolynomial c0, RnsPolynomial c1) = sums.Take(at);
        int step = _layout.PerCiphertext, count = _layout.Leaves;
        Flooding.Mask(key, stream, c0, c1, sums.Scratch);
        c0.ToCoefficients();
        c1.ToCoefficients();
        AddConstants(factors, output, c0);
        Flooding.Flood(stream, c0, c1, ForestParameters.FloodBits, 0, step, count, sums.Scratch);
        if (compact is not null)
        {
            compact.Add(CompactCiphertext.Of(c0, c1, _scaling, 0, step, count));
            return;
        }
        Flooding.HideOthers(stream, c0, 0, step, count, sums.Scratch);
        c0.ToValues();
        c1.ToValues();
        var ciphertext = new Ciphertext(_parameters, _parameters.Basis);
        ciphertext.C0.CopyFrom(c0);
        ciphertext.C1.CopyFrom(c1);
        whole.Add(ciphertext);
    }

    // round(Q m / t) = -[Q m]_t / t modulo each prime, as in RlweParameters.AddMessage.
    private void AddConstants(GroupFactors factors, int output, RnsPolynomial c0)
    {
        Modulus t = _parameters.Plaintext;
        for (int leaf = 0; leaf < _layout.Leaves; leaf++)
        {
            double scaled = t.BalanceReduced(factors.Constant(output, leaf) * _product % t.Value);
            for (int limb = 0; limb < _minusInverses.Length; limb++)
            {
                Modulus q = _parameters.Basis.Moduli[limb];
                ref double coefficient = ref c0.Limb(limb)[leaf * _layout.PerCiphertext];
                coefficient = Modulus.Reduce(coefficient + Modulus.MultiplyLazy(scaled, _minusInverses[limb], q.P, q.Inverse), q.P, q.Inverse);
            }
        }
    }
}
