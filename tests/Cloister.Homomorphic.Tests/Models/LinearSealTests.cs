using System.Text.Json.Nodes;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Tests.Wire.Seal;
using Cloister.Homomorphic.Wire.Seal;

namespace Cloister.Homomorphic.Tests.Models;

/// <summary>node-seal as the client of a linear model: it encrypts, the model computes, node-seal decrypts.</summary>
public sealed class LinearSealTests(SealPeer peer) : IClassFixture<SealPeer>
{
    private readonly SealTalk _talk = new(peer);

    [NodeSealTheory]
    [InlineData(30, 1, false, "seeded", "none")]
    [InlineData(57, 3, false, "symmetric", "zlib")]
    [InlineData(12, 2, true, "seeded", "zlib")]
    public async Task Node_seal_asks_a_model(int features, int scores, bool circuitPrivacy, string how, string compression)
    {
        LinearModel model = LinearModels.Random(features, scores, features);
        double[][] table = LinearModels.Table(features, 40, scores);
        using CompiledModel compiled = LinearCompiler.Compile(model, table, new LinearOptions { Name = "seal", CircuitPrivacy = circuitPrivacy });
        ClientSpecification client = compiled.Client;
        var chain = new SealChain("linear model", client.Parameters.Degree, circuitPrivacy ? [45, 45, 16] : [49], client.Parameters.PlaintextModulus);
        await peer.AskAsync("context", chain.Description());
        JsonNode keys = await peer.AskAsync("generate", SealTalk.With(chain, ("compression", compression), ("steps", JsonValue.Create(false))));

        double[][] rows = LinearModels.Extremes(model, table, Math.Min(9, client.Layout.Rows));
        var message = new ulong[chain.Degree];
        for (int r = 0; r < rows.Length; r++)
            for (int i = 0; i < features; i++)
                message[r * client.Layout.Stride + i] = (ulong)((LinearQuantiser.Quantise(rows[r][i], client.Features[i], out _) + (long)chain.T) % (long)chain.T);
        byte[] body = [.. BitConverter.GetBytes(rows.Length), .. circuitPrivacy ? SealTalk.Bytes(keys["openSeeded"]) : [], .. await _talk.EncryptAsync(chain, message, how, compression)];

        using EncryptedQuery query = SealQueryFormat.Read(body, compiled.Parameters, client, out SealVersion version);
        using EncryptedAnswer answer = compiled.Evaluate(query, AnswerForm.Whole, CancellationToken.None);
        query.PublicKey?.Dispose();
        // SEAL's noise budget is 0 here: it is that of the worst coefficient, and those without a sum are uniform.
        JsonNode seal = await peer.AskAsync("decrypt", SealTalk.With(chain, ("ciphertext", SealQueryFormat.WriteAnswer(answer, version)[4..])));
        ulong[] decrypted = SealFormat.ReadPlaintext(SealTalk.Bytes(seal["plaintext"]), compiled.Parameters, out _);
        using LinearWeights weights = LinearModels.WeightsOf(compiled);
        for (int r = 0; r < rows.Length; r++)
        {
            long[] sums = [.. Enumerable.Range(0, scores).Select(k => (long)compiled.Parameters.Plaintext.BalanceReduced(decrypted[features - 1 + (r * scores + k) * features]))];
            Assert.Equal(LinearModels.Sums(client, weights, rows[r]), sums);
        }
    }
}
