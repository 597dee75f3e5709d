using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Models;

/// <summary>
/// What a group of leaves is multiplied by, drawn afresh for every answer. Output 0 detects: at leaf e it holds r (sum of rho_i wrong_i), with r uniform
/// from 1 to t - 1 and rho_i uniform from 1 to 2^12. Each other output holds value + mask + sum of kappa_i wrong_i, with kappa_i uniform modulo t.
/// </summary>
/// <remarks>
/// <para>For a one-hot row wrong_i is 0 or 1, and the sum of the rho_i is below 15 * 2^12 &lt; t: it is 0 only if no step is wrong, and r makes any other
/// uniform but for 0. So a decrypted zero is a reached leaf, always.</para>
/// <para>If any wrong_i is not 0, whatever the query, a uniform kappa_i times it is uniform modulo the prime t: the value is gone. And of two leaves of a tree, one has a
/// step wrong by b where the other's is wrong by 1 - b: at most one of them is open.</para>
/// </remarks>
internal sealed class GroupFactors
{
    private const uint T = (uint)ForestParameters.PlaintextModulus, Rho = 1 << 12;

    private readonly int _leaves, _outputs, _spacing;
    private readonly int[] _heads;           // of an input: its last product, or -1
    private readonly List<Product> _products = [];
    private readonly List<int> _factors = []; // of a product: one an output, balanced
    private readonly long[] _constants;      // of an output and leaf

    /// <summary>Makes room.</summary>
    /// <param name="inputs">How many ciphertexts a row has.</param>
    /// <param name="outputs">One to detect and one a value.</param>
    /// <param name="leaves">How many leaves a group has.</param>
    /// <param name="spacing">Coefficients from one to the next.</param>
    internal GroupFactors(int inputs, int outputs, int leaves, int spacing)
    {
        (_leaves, _outputs, _spacing) = (leaves, outputs, spacing);
        _heads = new int[inputs];
        _constants = new long[outputs * leaves];
    }

    /// <summary>A step of a leaf: where it stands, what is asked, and the product before it of the same input.</summary>
    private readonly record struct Product(int Place, ForestStep Step, int Before);

    /// <summary>Draws a group.</summary>
    /// <param name="part">The leaves.</param>
    /// <param name="order">Which of them stand in the group; a number beyond them is nobody.</param>
    /// <param name="masks">Of a tree and value.</param>
    /// <param name="draws">Randomness.</param>
    internal void Draw(ForestPart part, ReadOnlySpan<int> order, ReadOnlySpan<int> masks, UniformDraws draws)
    {
        Clear();
        for (int e = 0; e < _leaves; e++)
        {
            if (order[e] >= part.Leaves.Length)
            {
                // Nobody: detected as wrong, with no value.
                _constants[e] = 1 + draws.Below(T - 1);
                for (int output = 1; output < _outputs; output++) _constants[output * _leaves + e] = draws.Below(T);
                continue;
            }
            ForestLeaf leaf = part.Leaves[order[e]];
            for (int output = 1; output < _outputs; output++) _constants[output * _leaves + e] = leaf.Values[output - 1] + masks[leaf.Tree * (_outputs - 1) + output - 1];
            uint r = 1 + draws.Below(T - 1);
            foreach (ForestStep step in leaf.Steps)
            {
                int input = step.Question.Input;
                _products.Add(new Product(e * _spacing, step, _heads[input]));
                _heads[input] = _products.Count - 1;
                for (int output = 0; output < _outputs; output++)
                {
                    int factor = Balance(output == 0 ? (uint)((ulong)r * (1 + draws.Below(Rho)) % T) : draws.Below(T));
                    _factors.Add(step.FromOne ? -factor : factor);
                    if (step.FromOne) _constants[output * _leaves + e] += factor;
                }
            }
        }
    }

    /// <summary>Whether no question is about an input.</summary>
    internal bool IsIdle(int input) => _heads[input] < 0;

    /// <summary>The coefficients that an input is multiplied by for an output: at a leaf's place comes out what its questions find there.</summary>
    /// <remarks>X^place times the inverse of X^p, the place of a level: X^(place - p), which is -X^(n + place - p) below zero.</remarks>
    internal void Write(int input, int output, Span<double> coefficients)
    {
        coefficients.Clear();
        int n = coefficients.Length;
        for (int at = _heads[input]; at >= 0;)
        {
            (int place, ForestStep step, int before) = _products[at];
            double factor = _factors[at * _outputs + output];
            foreach (int level in step.Question.Places)
            {
                int power = place - level;
                if (power >= 0) coefficients[power] += factor;
                else coefficients[n + power] -= factor;
            }
            at = before;
        }
    }

    /// <summary>What is added in the clear to an output's leaf, from 0 to t - 1.</summary>
    internal uint Constant(int output, int leaf)
    {
        long rest = _constants[output * _leaves + leaf] % T;
        return (uint)(rest < 0 ? rest + T : rest);
    }

    internal void Clear()
    {
        Array.Fill(_heads, -1);
        _products.Clear();
        System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_factors).Clear();
        _factors.Clear();
        Array.Clear(_constants);
    }

    private static int Balance(uint residue) => residue > T / 2 ? (int)residue - (int)T : (int)residue;
}
