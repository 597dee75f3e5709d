using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;

namespace Cloister.Serving.Batching;

/// <summary>Joins tensors along the first dimension.</summary>
internal static class BatchTensors
{
    /// <summary>One tensor an input with the members' items one after the other, the last one repeated up to <paramref name="size"/> items.</summary>
    public static Tensor[] Join(ReadOnlySpan<BatchMember> members, int size, TensorPool pool)
    {
        IReadOnlyList<Tensor> first = members[0].Inputs;
        var joined = new List<Tensor>(first.Count);
        try
        {
            for (int i = 0; i < first.Count; i++)
            {
                Tensor whole = Rent(first[i].Type, [size, .. first[i].Shape[1..]], pool);
                joined.Add(whole);
                Span<byte> room = whole.Bytes;
                int itemBytes = room.Length / size;
                foreach (BatchMember member in members)
                {
                    ReadOnlySpan<byte> bytes = member.Inputs[i].Bytes;
                    bytes.CopyTo(room);
                    room = room[bytes.Length..];
                }
                for (ReadOnlySpan<byte> last = members[^1].Inputs[i].Bytes[^itemBytes..]; room.Length > 0; room = room[itemBytes..]) last.CopyTo(room);
            }
            return [.. joined];
        }
        catch
        {
            foreach (Tensor tensor in joined) tensor.Dispose();
            throw;
        }
    }

    /// <summary>The parts' outputs as if they had been run as one; the parts stay the caller's.</summary>
    public static Tensor[] Concatenate(IReadOnlyList<Tensor[]> parts, TensorPool pool)
    {
        var outputs = new List<Tensor>();
        try
        {
            for (int i = 0; i < parts[0].Length; i++)
            {
                Tensor first = parts[0][i];
                long[] shape = [parts.Sum(part => part[i].Shape[0]), .. first.Shape[1..]];
                if (first.Type == TensorElementType.String)
                {
                    outputs.Add(Tensor.FromTexts([.. parts.SelectMany(part => part[i].Texts.ToArray())], shape));
                    continue;
                }
                Tensor whole = Rent(first.Type, shape, pool);
                outputs.Add(whole);
                int at = 0;
                foreach (Tensor[] part in parts)
                {
                    part[i].Bytes.CopyTo(whole.Bytes[at..]);
                    at += part[i].Bytes.Length;
                }
            }
            return [.. outputs];
        }
        catch
        {
            foreach (Tensor output in outputs) output.Dispose();
            throw;
        }
    }

    public static Tensor Rent(TensorElementType type, long[] shape, TensorPool pool)
    {
        long elements = shape.Aggregate(1L, (product, dimension) => checked(product * dimension));
        return new Tensor(type, shape, pool.Rent(type.ByteLength(elements)));
    }
}
