using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Cloister.Homomorphic.Import.Xgboost;

/// <summary>
/// Universal Binary JSON (ubjson.org, draft 12), which XGBoost writes where a file's name does not end in json, as JSON text. Numbers are
/// big-endian; a container may say once what type all its values have, and how many they are.
/// </summary>
internal static class UniversalJson
{
    private const int MaxDepth = 32;

    // A typed list of a byte an element becomes up to five bytes of text; a file that becomes more than this is no model.
    private const int MaxGrowth = 32;

    /// <summary>Whether bytes begin as an object whose first name has a length before it, which JSON text never does.</summary>
    public static bool Is(ReadOnlySpan<byte> bytes) => bytes.Length > 2 && bytes[0] == '{' && "iUIlL#$"u8.Contains(bytes[1]);

    /// <summary>The same value as JSON text.</summary>
    /// <exception cref="ImportException">The bytes are no Universal Binary JSON, or something follows them.</exception>
    public static ReadOnlyMemory<byte> ToJson(ReadOnlySpan<byte> bytes)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(text, new JsonWriterOptions { SkipValidation = true }))
        {
            var reader = new Reader(bytes, writer);
            reader.Value(reader.Marker(), 0);
            if (!reader.AtEnd) throw Refuse("has bytes behind its end");
        }
        return text.WrittenMemory;
    }

    private static ImportException Refuse(string what) => new(ImportError.Malformed, $"The binary JSON file {what}.");

    private ref struct Reader(ReadOnlySpan<byte> bytes, Utf8JsonWriter writer)
    {
        private readonly long _room = (long)MaxGrowth * bytes.Length;
        private ReadOnlySpan<byte> _left = bytes;

        public readonly bool AtEnd => _left.IsEmpty;

        public byte Marker()
        {
            byte marker;
            do marker = Take(1)[0];
            while (marker == 'N'); // no-op
            return marker;
        }

        public void Value(byte marker, int depth)
        {
            if (writer.BytesCommitted + writer.BytesPending > _room) throw Refuse("grows beyond what a model holds");
            switch (marker)
            {
                case (byte)'Z': writer.WriteNullValue(); break;
                case (byte)'T': writer.WriteBooleanValue(true); break;
                case (byte)'F': writer.WriteBooleanValue(false); break;
                case (byte)'d': Number(BinaryPrimitives.ReadSingleBigEndian(Take(4))); break;
                case (byte)'D': Number(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
                case (byte)'S': writer.WriteStringValue(Text()); break;
                case (byte)'C': writer.WriteStringValue(Decode(Take(1))); break;
                case (byte)'[': List(depth + 1); break;
                case (byte)'{': Object(depth + 1); break;
                default: writer.WriteNumberValue(Integer(marker)); break;
            }
        }

        private readonly void Number(double value)
        {
            if (!double.IsFinite(value)) throw new ImportException(ImportError.NotFinite, "The binary JSON file has a number that is not finite.");
            writer.WriteNumberValue(value);
        }

        private long Integer(byte marker) => marker switch
        {
            (byte)'i' => (sbyte)Take(1)[0],
            (byte)'U' => Take(1)[0],
            (byte)'I' => BinaryPrimitives.ReadInt16BigEndian(Take(2)),
            (byte)'l' => BinaryPrimitives.ReadInt32BigEndian(Take(4)),
            (byte)'L' => BinaryPrimitives.ReadInt64BigEndian(Take(8)),
            _ => throw Refuse($"has the unknown type 0x{marker:x2}"),
        };

        private void List(int depth)
        {
            writer.WriteStartArray();
            (byte? type, long? count) = Head(depth);
            for (long i = 0; count is { } all ? i < all : !Ends((byte)']'); i++) Value(type ?? Marker(), depth);
            writer.WriteEndArray();
        }

        private void Object(int depth)
        {
            writer.WriteStartObject();
            (byte? type, long? count) = Head(depth);
            for (long i = 0; count is { } all ? i < all : !Ends((byte)'}'); i++)
            {
                writer.WritePropertyName(Text());
                Value(type ?? Marker(), depth);
            }
            writer.WriteEndObject();
        }

        private (byte? Type, long? Count) Head(int depth)
        {
            if (depth > MaxDepth) throw Refuse($"nests deeper than {MaxDepth}");
            byte? type = null;
            if (Ends((byte)'$'))
            {
                type = Take(1)[0];
                // Values of no bytes would let a short file be any number of them.
                if (type is (byte)'Z' or (byte)'T' or (byte)'F' or (byte)'N') throw Refuse("has a list of values without bytes");
                if (_left.IsEmpty || _left[0] != '#') throw Refuse("says a type for a list and not its length");
            }
            if (!Ends((byte)'#')) return (type, null);
            long count = Integer(Marker());
            return count >= 0 && count <= _left.Length ? (type, count) : throw Refuse($"says {count} values where {_left.Length} bytes are left");
        }

        // Takes one byte if it is the given one.
        private bool Ends(byte marker)
        {
            if (_left.IsEmpty) throw Refuse("ends early");
            if (_left[0] != marker) return false;
            _left = _left[1..];
            return true;
        }

        private string Text()
        {
            long length = Integer(Marker());
            if (length < 0 || length > _left.Length) throw Refuse("ends within a text");
            return Decode(Take((int)length));
        }

        private static string Decode(ReadOnlySpan<byte> text)
        {
            try
            {
                return new UTF8Encoding(false, true).GetString(text);
            }
            catch (DecoderFallbackException e)
            {
                throw new ImportException(ImportError.Malformed, "The binary JSON file has a text that is not UTF-8.", e);
            }
        }

        private ReadOnlySpan<byte> Take(int count)
        {
            if (count > _left.Length) throw Refuse("ends early");
            ReadOnlySpan<byte> taken = _left[..count];
            _left = _left[count..];
            return taken;
        }
    }
}
