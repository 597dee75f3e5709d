using System.Collections;
using System.Reflection;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Tests.Model;

/// <summary>Compares messages by their public properties, which record equality does not do for arrays.</summary>
internal static class MessageComparison
{
    public static void AssertEqual(object? expected, object? actual, string path)
    {
        switch (expected)
        {
            case OnnxMessage message:
                Assert.IsType(message.GetType(), actual);
                foreach (PropertyInfo property in message.GetType().GetProperties())
                    AssertEqual(property.GetValue(message), property.GetValue(actual), $"{path}.{property.Name}");
                break;
            case ReadOnlyMemory<byte> bytes:
                Assert.True(bytes.Span.SequenceEqual(Assert.IsType<ReadOnlyMemory<byte>>(actual).Span), path);
                break;
            case IEnumerable sequence when expected is not string:
                object?[] left = [.. sequence.Cast<object?>()], right = [.. ((IEnumerable)actual!).Cast<object?>()];
                Assert.True(left.Length == right.Length, path);
                for (int i = 0; i < left.Length; i++)
                    AssertEqual(left[i], right[i], $"{path}[{i}]");
                break;
            default:
                Assert.True(Equals(expected, actual), $"{path}: {expected} became {actual}");
                break;
        }
    }
}
