using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>Asks a linear model: rows become integers and then polynomials, answers become scores.</summary>
internal sealed class LinearClient : ModelClient
{
    private readonly LinearLayout _layout;

    internal LinearClient(ClientSpecification specification)
    {
        Specification = specification;
        Parameters = ParameterSpecifications.Create(specification.Parameters);
        _layout = LinearLayout.Of(specification);
    }

    public override ClientSpecification Specification { get; }

    public override RlweParameters Parameters { get; }

    public override ClientQuery Encrypt(IReadOnlyList<double[]> rows, SecretKey key, PublicKey? publicKey)
    {
        if (rows.Count == 0) throw new ArgumentException("There are no rows.", nameof(rows));
        int sets = _layout.RowSets(rows.Count);
        if (sets > LinearLayout.MaximumRowSets) throw new HomomorphicException(HomomorphicError.QueryLayout, $"A query has at most {LinearLayout.MaximumRowSets * _layout.Rows} rows of this model, not {rows.Count}. Ask in parts.");
        if (Specification.Parameters.CircuitPrivacy && publicKey is null) throw new HomomorphicException(HomomorphicError.QueryPublicKey, "The model hides itself in its answers and needs the client's public key for it.");
        LinearQuantiser.Require(Specification.Features, rows);
        var messages = new ulong[_layout.Groups][];
        for (int group = 0; group < messages.Length; group++) messages[group] = new ulong[_layout.Degree];
        var ciphertexts = new List<SeededCiphertext>(sets * _layout.Groups);
        int clamped = 0;
        try
        {
            for (int set = 0; set < sets; set++)
            {
                foreach (ulong[] message in messages) Array.Clear(message);
                for (int r = 0; r < _layout.RowsOf(set, rows.Count); r++) clamped += Place(rows[set * _layout.Rows + r], r * _layout.Stride, messages);
                foreach (ulong[] message in messages) ciphertexts.Add(Encryption.Encrypt(message, key));
            }
        }
        finally
        {
            foreach (ulong[] message in messages) CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(message.AsSpan()));
        }
        return new ClientQuery(rows.Count, ciphertexts, Specification.Parameters.CircuitPrivacy ? publicKey : null) { Clamped = clamped };
    }

    public override IReadOnlyList<ModelAnswer> Decrypt(EncryptedAnswer answer, SecretKey key)
    {
        RequireLayout(answer);
        var answers = new ModelAnswer[answer.Rows];
        var scores = new double[_layout.Scores];
        for (int set = 0; set < _layout.RowSets(answer.Rows); set++)
        {
            ulong[] sums = Sums(answer, set, key);
            for (int r = 0; r < _layout.RowsOf(set, answer.Rows); r++)
            {
                for (int k = 0; k < scores.Length; k++)
                    scores[k] = Parameters.Plaintext.BalanceReduced(sums[r * scores.Length + k]) * Specification.Output.Scales[k] + Specification.Output.Offsets[k];
                answers[set * _layout.Rows + r] = ModelAnswer.Of(scores, Specification.Output.Link, Specification.Output.Classes, Specification.Output.Threshold);
            }
        }
        return answers;
    }

    // Returns how many features were out of range.
    private int Place(double[] row, int at, ulong[][] messages)
    {
        int clamped = 0;
        ulong t = Parameters.Plaintext.Value;
        for (int i = 0; i < row.Length; i++)
        {
            long integer = LinearQuantiser.Quantise(row[i], Specification.Features[i], out bool outside);
            clamped += outside ? 1 : 0;
            messages[i / _layout.PerCiphertext][at + i % _layout.PerCiphertext] = (ulong)(integer + (integer >> 63 & (long)t));
        }
        return clamped;
    }

    private ulong[] Sums(EncryptedAnswer answer, int set, SecretKey key)
    {
        if (answer.Form == AnswerForm.Compact) return Encryption.Decrypt(answer.Compact[set], key);
        ulong[] message = Encryption.Decrypt(answer.Whole[set], key);
        return [.. Enumerable.Range(0, _layout.RowsOf(set, answer.Rows) * _layout.Scores).Select(i => message[_layout.First + i * _layout.Step])];
    }

    private void RequireLayout(EncryptedAnswer answer)
    {
        if (answer.Rows < 1 || answer.Rows > (long)LinearLayout.MaximumRowSets * _layout.Rows) throw Refuse($"it says that it has {answer.Rows} rows");
        int sets = _layout.RowSets(answer.Rows), given = answer.Form == AnswerForm.Compact ? answer.Compact.Count : answer.Whole.Count;
        if (given != sets) throw Refuse($"it has {given} ciphertexts for {answer.Rows} rows instead of {sets}");
        for (int set = 0; set < sets; set++)
        {
            if (answer.Form == AnswerForm.Whole)
            {
                if (!answer.Whole[set].Parameters.IsLike(Parameters)) throw Refuse("a ciphertext has other parameters");
                continue;
            }
            CompactCiphertext compact = answer.Compact[set];
            if ((compact.Bits, compact.First, compact.Step, compact.C0.Length, compact.C1.Length)
                != (Specification.Parameters.AnswerBits, _layout.First, _layout.Step, _layout.RowsOf(set, answer.Rows) * _layout.Scores, _layout.Degree))
                throw Refuse("a ciphertext carries other coefficients");
        }
    }

    private static HomomorphicException Refuse(string reason) => new(HomomorphicError.AnswerLayout, $"The answer does not have the model's layout: {reason}.");
}
