using System.Buffers;
using System.Buffers.Text;

namespace Cloister.Serving.TensorFlow.Json;

/// <summary>Standard base64 as TF Serving reads it: white space is passed over, and what fills up the end may be missing.</summary>
internal static class Base64Bytes
{
    public static bool TryDecode(ReadOnlySpan<byte> text, out byte[] bytes)
    {
        byte[] digits = new byte[text.Length + 3];
        int length = 0, fill = 0;
        foreach (byte digit in text)
        {
            if (digit is (byte)' ' or (>= 9 and <= 13)) continue;
            if (digit is (byte)'=' or (byte)'.') fill++;
            else if (fill > 0) length = -1;
            if (length < 0) break;
            if (fill == 0) digits[length++] = digit;
        }
        bytes = [];
        int missing = -length & 3;
        if (length < 0 || missing == 3 || (fill > 0 && fill != missing)) return false;
        digits.AsSpan(length, missing).Fill((byte)'=');
        byte[] room = new byte[Base64.GetMaxDecodedFromUtf8Length(length + missing)];
        if (Base64.DecodeFromUtf8(digits.AsSpan(0, length + missing), room, out _, out int written) != OperationStatus.Done) return false;
        bytes = room[..written];
        return true;
    }
}
