using System.Globalization;
using Cloister.Serving.Json;

namespace Cloister.Serving.TensorFlow.Json;

/// <summary>
/// A number for a binary32 input as TF Serving reads it: through binary64, so that what is too large for binary32 alone is an
/// infinity, and only what is too large for binary64 is refused.
/// </summary>
internal readonly struct OverflowingSingle : IElement<float>
{
    public static string Expected => SingleElement.Expected;

    public static int Read(ReadOnlySpan<byte> text, out float value)
    {
        int length = SingleElement.Read(text, out value);
        if (length >= 0) return length;
        length = JsonNumber.Scan(text);
        return double.IsInfinity(double.Parse(text[..length], CultureInfo.InvariantCulture)) ? -1 : length;
    }
}
