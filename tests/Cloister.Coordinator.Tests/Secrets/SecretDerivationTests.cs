using System.Text.Json;
using Cloister.Coordinator.Secrets;
using Cloister.Tests;

namespace Cloister.Coordinator.Tests.Secrets;

public sealed class SecretDerivationTests
{
    [SharedDataFact]
    public void Keys_equal_marbleruns()
    {
        using JsonDocument vectors = JsonDocument.Parse(File.ReadAllBytes(TestData.Path("marblerun/vectors.json")));
        int compared = 0;
        foreach (JsonElement vector in vectors.RootElement.GetProperty("hkdf").EnumerateArray())
        {
            byte[] key = SecretDerivation.PerMarble(Convert.FromHexString(vector.GetProperty("rootSecretHex").GetString()!), Guid.Parse(vector.GetProperty("uuid").GetString()!),
                vector.GetProperty("secretName").GetString()!, vector.GetProperty("info").GetString()!, vector.GetProperty("sizeBits").GetUInt64());
            Assert.Equal(vector.GetProperty("keyHex").GetString(), Convert.ToHexStringLower(key));
            compared++;
        }
        Assert.True(compared >= 7);
    }
}
