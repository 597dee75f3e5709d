using System.Text.Json;
using Cloister.Tests;

namespace Cloister.Sealing.Tests.Hpke;

/// <summary>RFC 9180, appendix A, and the AES-256-GCM suites that it lacks: every base-mode vector of the supported suites.</summary>
public class HpkeVectorTests
{
    [SharedDataTheory]
    [InlineData("vectors/hpke-rfc9180.json", 5)]
    [InlineData("vectors/hpke-aes256gcm.json", 2)]
    public void BaseVectors(string file, int expected)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(TestData.Path(file)));
        int seen = 0;
        foreach (JsonElement vector in document.RootElement.GetProperty("vectors").EnumerateArray())
        {
            var suite = new HpkeSuite((HpkeKem)vector.GetProperty("kem_id").GetInt32(), (HpkeAead)vector.GetProperty("aead_id").GetInt32());
            if (vector.GetProperty("mode").GetInt32() != 0 || !Enum.IsDefined(suite.Kem) || vector.GetProperty("kdf_id").GetInt32() != 1)
                continue;
            Check(suite, vector);
            seen++;
        }
        Assert.Equal(expected, seen);
    }

    private static void Check(HpkeSuite suite, JsonElement vector)
    {
        using HpkePrivateKey ephemeral = HpkePrivateKey.Derive(suite.Kem, Hex(vector, "ikmE"));
        using HpkePrivateKey recipientKey = HpkePrivateKey.Derive(suite.Kem, Hex(vector, "ikmR"));
        using (SecretBytes skE = ephemeral.Export(), skR = recipientKey.Export())
        {
            Assert.Equal(Hex(vector, "skEm"), skE.Span.ToArray());
            Assert.Equal(Hex(vector, "skRm"), skR.Span.ToArray());
        }
        Assert.Equal(Hex(vector, "pkRm"), recipientKey.PublicKey.ToArray());
        using HpkeSender sender = HpkeSender.Setup(suite, recipientKey.PublicKey.Span, Hex(vector, "info"), ephemeral);
        Assert.Equal(Hex(vector, "enc"), sender.Encapsulation.ToArray());
        using HpkeRecipient recipient = HpkeRecipient.Setup(suite, recipientKey, sender.Encapsulation.Span, Hex(vector, "info"));

        foreach (JsonElement message in vector.GetProperty("encryptions").EnumerateArray())
        {
            byte[] plaintext = Hex(message, "pt", "plaintext"), ciphertext = Hex(message, "ct", "ciphertext");
            sender.Context.Sequence = recipient.Context.Sequence = message.GetProperty("sequence_number").GetUInt64();
            Assert.Equal(ciphertext, sender.Seal(Hex(message, "aad"), plaintext));
            Assert.Equal(plaintext, recipient.Open(Hex(message, "aad"), ciphertext));
        }
        foreach (JsonElement export in vector.GetProperty("exports").EnumerateArray())
        {
            using SecretBytes one = sender.Export(Hex(export, "exporter_context"), export.GetProperty("L").GetInt32());
            using SecretBytes two = recipient.Export(Hex(export, "exporter_context"), export.GetProperty("L").GetInt32());
            Assert.Equal(Hex(export, "exported_value"), one.Span.ToArray());
            Assert.Equal(Hex(export, "exported_value"), two.Span.ToArray());
        }
    }

    private static byte[] Hex(JsonElement element, params string[] names) =>
        Convert.FromHexString(names.Select(name => element.TryGetProperty(name, out JsonElement value) ? value.GetString() : null).First(text => text is not null)!);
}
