using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Tests.Models;

/// <summary>A client who looks at every coefficient of an answer and asks what no honest client asks.</summary>
internal sealed class ForestProbe : IDisposable
{
    private readonly ForestLayout _layout;

    internal ForestProbe(CompiledModel model)
    {
        (Model, _layout) = (model, ForestLayout.Of(model.Client));
        Key = SecretKey.Generate(model.Parameters);
        Open = PublicKey.Of(Key);
    }

    internal CompiledModel Model { get; }

    internal SecretKey Key { get; }

    internal PublicKey Open { get; }

    internal int Degree => _layout.Degree;

    /// <summary>What stands where in the message of a feature at a level, for changing it.</summary>
    internal int Place(int feature, int level) => _layout.Place(feature, level);

    /// <summary>The messages of an honest row.</summary>
    internal ulong[][] Messages(double[] row)
    {
        var messages = new ulong[_layout.Inputs][];
        for (int input = 0; input < messages.Length; input++) messages[input] = new ulong[_layout.Degree];
        for (int f = 0; f < row.Length; f++)
        {
            FeatureSpecification feature = Model.Client.Features[f];
            int level = double.IsNaN(row[f]) ? feature.AbsentLevel!.Value : feature.Edges.Count(edge => edge < row[f]);
            messages[f / _layout.PerCiphertext][_layout.Place(f, level)] = 1;
        }
        return messages;
    }

    internal EncryptedQuery Encrypt(ulong[][] messages)
    {
        var ciphertexts = new List<Ciphertext>();
        foreach (ulong[] message in messages)
        {
            using SeededCiphertext seeded = Encryption.Encrypt(message, Key);
            ciphertexts.Add(seeded.Expand());
        }
        return new EncryptedQuery(1, ciphertexts, Open);
    }

    /// <summary>All leaves of an answer: what detects, and the value beside it.</summary>
    internal (ulong Cost, ulong Value)[] Ask(EncryptedQuery query)
    {
        using EncryptedAnswer answer = Model.Evaluate(query, AnswerForm.Compact, CancellationToken.None);
        var leaves = new List<(ulong, ulong)>();
        for (int at = 0; at < answer.Compact.Count; at += 2)
            leaves.AddRange(Encryption.Decrypt(answer.Compact[at], Key).Zip(Encryption.Decrypt(answer.Compact[at + 1], Key)));
        return [.. leaves];
    }

    public void Dispose()
    {
        Open.Dispose();
        Key.Dispose();
    }
}
