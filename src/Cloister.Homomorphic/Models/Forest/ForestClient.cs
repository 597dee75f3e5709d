using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>A client of a compiled forest: features become levels, levels one coefficient each of a message, and of the answer only the leaves reached can be read.</summary>
internal sealed class ForestClient : ModelClient
{
    private readonly ForestLayout _layout;
    private readonly FeatureLevels[] _levels;

    /// <summary>A client of a specification.</summary>
    /// <exception cref="HomomorphicException">Its parameters or layout are refused.</exception>
    internal ForestClient(ClientSpecification specification)
    {
        Specification = specification;
        _layout = ForestLayout.Of(specification);
        _levels = [.. specification.Features.Select(feature => new FeatureLevels([.. feature.Edges], feature.AbsentLevel))];
        if (_levels.Any(feature => feature.Edges.Length >= _layout.Levels || feature.AbsentLevel is < 0 || feature.AbsentLevel >= _layout.Levels))
            throw new HomomorphicException(HomomorphicError.Specification, $"The forest's specification is refused: a feature has more than {_layout.Levels} levels.");
        Parameters = ParameterSpecifications.Create(specification.Parameters);
        if (specification.Parameters.AnswerBits is < CompactScaling.MinimumBits or > CompactScaling.MaximumBits)
            throw new HomomorphicException(HomomorphicError.Specification, $"The forest's specification is refused: answers have {CompactScaling.MinimumBits} to {CompactScaling.MaximumBits} bits.");
    }

    /// <inheritdoc/>
    public override ClientSpecification Specification { get; }

    /// <inheritdoc/>
    public override RlweParameters Parameters { get; }

    /// <inheritdoc/>
    public override ClientQuery Encrypt(IReadOnlyList<double[]> rows, SecretKey key, PublicKey? publicKey)
    {
        RequireKey(key);
        if (publicKey is null) throw new HomomorphicException(HomomorphicError.QueryPublicKey, "The model hides itself in its answers and needs the client's public key for it.");
        if (!ReferenceEquals(publicKey.Parameters, key.Parameters)) throw new ArgumentException("The public key was not made with the secret key's parameters.", nameof(publicKey));
        if (rows.Count == 0) throw new ArgumentException("There is no row.", nameof(rows));
        int[][] levels = [.. rows.Select(Levels)]; // all rows are looked at before any is encrypted
        var ciphertexts = new List<SeededCiphertext>();
        var message = new ulong[_layout.Degree];
        foreach (int[] row in levels)
        {
            for (int input = 0; input < _layout.Inputs; input++)
            {
                Array.Clear(message);
                for (int f = input * _layout.PerCiphertext; f < Math.Min(row.Length, (input + 1) * _layout.PerCiphertext); f++) message[_layout.Place(f, row[f])] = 1;
                ciphertexts.Add(Encryption.Encrypt(message, key));
            }
            Array.Clear(row);
        }
        Array.Clear(message);
        return new ClientQuery(rows.Count, ciphertexts, publicKey);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ModelAnswer> Decrypt(EncryptedAnswer answer, SecretKey key)
    {
        RequireKey(key);
        bool compact = answer.Form == AnswerForm.Compact;
        int count = compact ? answer.Compact.Count : answer.Whole.Count;
        if (answer.Rows < 1 || count != (long)answer.Rows * _layout.Answers)
            throw new HomomorphicException(HomomorphicError.AnswerLayout, $"The answer has {count} ciphertexts for {answer.Rows} rows; the model gives {_layout.Answers} a row.");
        var answers = new ModelAnswer[answer.Rows];
        for (int row = 0; row < answers.Length; row++)
        {
            int first = row * _layout.Answers;
            answers[row] = Score(at => compact ? Carried(answer.Compact[first + at], key) : Carried(answer.Whole[first + at], key));
        }
        return answers;
    }

    private int[] Levels(double[] row)
    {
        if (row.Length != _levels.Length) throw new HomomorphicException(HomomorphicError.FeatureCount, $"The row has {row.Length} features; the model has {_levels.Length}.");
        var levels = new int[row.Length];
        for (int f = 0; f < levels.Length; f++)
        {
            levels[f] = double.IsInfinity(row[f]) ? -1 : _levels[f].Level(row[f]) ?? -1;
            if (levels[f] < 0) throw new HomomorphicException(HomomorphicError.FeatureNotFinite, $"Feature {f}, {Specification.Features[f].Name}, is {(double.IsInfinity(row[f]) ? "infinite" : "absent, and may not be")}.");
        }
        return levels;
    }

    // The leaves reached are the zeros of what detects: one a tree, or the answer is of another model, for another key, or tampered with.
    private ModelAnswer Score(Func<int, ulong[]> decrypt)
    {
        OutputSpecification output = Specification.Output;
        var sums = new ulong[output.Scales.Count];
        int at = 0;
        for (int part = 0; part < _layout.Groups.Count; part++)
        {
            int reached = 0;
            for (int group = 0; group < _layout.Groups[part]; group++)
            {
                ulong[] costs = decrypt(at++);
                for (int value = 0; value < _layout.Values; value++)
                {
                    ulong[] values = decrypt(at++);
                    for (int leaf = 0; leaf < costs.Length; leaf++)
                        if (costs[leaf] == 0) sums[_layout.Shared ? value : part] += values[leaf];
                }
                reached += costs.Count(cost => cost == 0);
            }
            if (reached != _layout.Trees[part])
                throw new HomomorphicException(HomomorphicError.NoPrediction, "No prediction comes out of the answer: it is for another key or of another model, or was changed.");
        }
        Modulus t = Parameters.Plaintext;
        double[] scores = [.. sums.Select((sum, k) => t.Balance(sum) * output.Scales[k] + output.Offsets[k])];
        return ModelAnswer.Of(scores, output.Link, output.Classes, output.Threshold);
    }

    private ulong[] Carried(CompactCiphertext ciphertext, SecretKey key)
    {
        if (ciphertext.Bits != Specification.Parameters.AnswerBits || ciphertext.First != 0 || ciphertext.Step != _layout.PerCiphertext || ciphertext.C0.Length != _layout.Leaves || ciphertext.C1.Length != _layout.Degree)
            throw new HomomorphicException(HomomorphicError.AnswerLayout, "A ciphertext of the answer does not carry what the model's specification says.");
        return Encryption.Decrypt(ciphertext, key);
    }

    private ulong[] Carried(Ciphertext ciphertext, SecretKey key)
    {
        if (!ReferenceEquals(ciphertext.Parameters, key.Parameters) || ciphertext.Basis.Count != Parameters.Basis.Count) throw new HomomorphicException(HomomorphicError.AnswerLayout, "A ciphertext of the answer was not made with the model's parameters.");
        ulong[] message = Encryption.Decrypt(ciphertext, key), carried = new ulong[_layout.Leaves];
        for (int leaf = 0; leaf < carried.Length; leaf++) carried[leaf] = message[leaf * _layout.PerCiphertext];
        return carried;
    }

    private void RequireKey(SecretKey key)
    {
        if (!key.Parameters.Ring.Basis.HasSameModuli(Parameters.Ring.Basis) || key.Parameters.Basis.Count != Parameters.Basis.Count || key.Parameters.Plaintext.Value != Parameters.Plaintext.Value)
            throw new ArgumentException("The key was not made with the model's parameters.", nameof(key));
    }
}
