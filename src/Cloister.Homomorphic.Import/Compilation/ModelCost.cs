using System.Diagnostics;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;

namespace Cloister.Homomorphic.Import;

/// <summary>What asking a compiled model takes: bytes, and time on this machine, single-threaded.</summary>
public sealed record ModelCost
{
    private const int LeastQueries = 6, MostQueries = 5000;

    // The runtime compiles what is called often anew, in the background: queries are asked until that is over.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    /// <summary>How many rows the measured query had: as many as fit its ciphertexts.</summary>
    public required int Rows { get; init; }

    /// <summary>Bytes of a query of so many rows.</summary>
    public required int QueryBytes { get; init; }

    /// <summary>Bytes of its answer.</summary>
    public required int AnswerBytes { get; init; }

    /// <summary>Bytes of the public key within the query; zero where it has none.</summary>
    public required int PublicKeyBytes { get; init; }

    /// <summary>Bytes of the compiled model.</summary>
    public required int ModelBytes { get; init; }

    /// <summary>The client's time to encrypt the query.</summary>
    public required TimeSpan Encrypt { get; init; }

    /// <summary>The server's time to compute the answer.</summary>
    public required TimeSpan Evaluate { get; init; }

    /// <summary>The client's time to decrypt the answer.</summary>
    public required TimeSpan Decrypt { get; init; }

    /// <summary>Whether times are medians of several queries; otherwise they are those of one first query.</summary>
    public required bool Measured { get; init; }

    /// <summary>The server's time for a row.</summary>
    public TimeSpan PerRow => Evaluate / Rows;

    /// <summary>Asks the model with a key that is forgotten afterwards.</summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">At least one row; rows are repeated to fill a query.</param>
    /// <param name="measure">Whether to ask for about two seconds and take medians; otherwise times are those of one first, slower query.</param>
    /// <param name="cancellation">Stops between queries.</param>
    public static ModelCost Of(CompiledModel model, IReadOnlyList<double[]> rows, bool measure, CancellationToken cancellation = default)
    {
        ModelClient client = ModelClients.Create(model.Client);
        using SecretKey key = SecretKey.Generate(client.Parameters);
        using PublicKey? open = model.Client.Parameters.CircuitPrivacy ? PublicKey.Of(key) : null;
        int count = model.Client.Layout.Rows;
        double[][] asked = [.. Enumerable.Range(0, count).Select(i => rows[i % rows.Count])];
        var times = new List<(TimeSpan Encrypt, TimeSpan Evaluate, TimeSpan Decrypt)>();
        (int query, int answer) = (0, 0);
        long begun = Stopwatch.GetTimestamp();
        do
        {
            cancellation.ThrowIfCancellationRequested();
            long start = Stopwatch.GetTimestamp();
            using ClientQuery encrypted = client.Encrypt(asked, key, open);
            TimeSpan encrypt = Stopwatch.GetElapsedTime(start);
            byte[] sent = QueryFormat.Write(encrypted, model.Client);
            // Read as a server reads it: the model computes on ciphertexts of its own parameters.
            using EncryptedQuery received = QueryFormat.Read(sent, model.Parameters, model.Client);
            using PublicKey? receivedKey = received.PublicKey;
            start = Stopwatch.GetTimestamp();
            using EncryptedAnswer computed = model.Evaluate(received, AnswerForm.Compact, cancellation);
            TimeSpan evaluate = Stopwatch.GetElapsedTime(start);
            byte[] returned = AnswerFormat.Write(computed, model.Parameters, model.Client);
            using EncryptedAnswer read = AnswerFormat.Read(returned, client.Parameters, model.Client, count);
            start = Stopwatch.GetTimestamp();
            client.Decrypt(read, key);
            times.Add((encrypt, evaluate, Stopwatch.GetElapsedTime(start)));
            (query, answer) = (sent.Length, returned.Length);
        }
        while (measure && times.Count < MostQueries && (times.Count < LeastQueries || Stopwatch.GetElapsedTime(begun) < Settling));
        // Of the later half: the earlier one was slower code.
        TimeSpan Median(Func<(TimeSpan Encrypt, TimeSpan Evaluate, TimeSpan Decrypt), TimeSpan> time)
        {
            TimeSpan[] later = [.. times.Skip(times.Count / 2).Select(time).Order()];
            return later[later.Length / 2];
        }
        return new ModelCost
        {
            Rows = count,
            Measured = measure,
            QueryBytes = query,
            AnswerBytes = answer,
            PublicKeyBytes = open is null ? 0 : PublicKeyFormat.Write(open).Length,
            ModelBytes = model.ToBytes().Length,
            Encrypt = Median(time => time.Encrypt),
            Evaluate = Median(time => time.Evaluate),
            Decrypt = Median(time => time.Decrypt),
        };
    }
}
