using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cloister.Onnx.Graphs;

namespace Cloister.Partitioning.Assessment;

/// <summary>A digest over all that a finding depends on: a finding of the same key need not be computed again.</summary>
internal static class UnitKey
{
    private const string Domain = "cloister/assessment-unit/v1";

    public static string Of(IAttack attack, AttackTarget target)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, Domain);
        Append(hash, AssessmentRun.Tool);
        Append(hash, attack.Name);
        Append(hash, attack.Settings);
        Append(hash, target.Model.Digest);
        Append(hash, target.Model.Preprocess);
        Append(hash, target.Pictures.Digest);
        Append(hash, target.Seed.ToString(CultureInfo.InvariantCulture));
        Append(hash, target.Cut);
        foreach (Cut tail in target.Tails) Append(hash, tail);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, Cut? cut)
    {
        Append(hash, (cut?.Tensors.Length ?? 0).ToString(CultureInfo.InvariantCulture));
        foreach (string tensor in cut?.Tensors ?? []) Append(hash, tensor);
    }

    private static void Append(IncrementalHash hash, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
