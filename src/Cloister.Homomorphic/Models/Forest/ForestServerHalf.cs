using System.Buffers.Binary;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>The half of a compiled forest that its server keeps: docs/formats/he-forest.md.</summary>
internal static class ForestServerHalf
{
    private const byte Leaf = 0, Question = 1;

    private const int QuestionBytes = 2 + 32;

    internal static byte[] Write(LevelForest forest)
    {
        using var stream = new MemoryStream();
        foreach (int offset in forest.Offsets) WriteNumber(stream, offset);
        foreach (IReadOnlyList<LevelTree> part in forest.Parts)
            foreach (LevelTree tree in part) WriteTree(stream, tree.Leaves, 0, tree.Leaves.Count, 0);
        byte[] bytes = stream.ToArray();
        stream.GetBuffer().AsSpan().Clear();
        return bytes;
    }

    /// <summary>Reads a forest and holds it to its specification, so that every answer is right and hidden whatever the file says.</summary>
    internal static CompiledForest Read(ClientSpecification client, ReadOnlySpan<byte> bytes)
    {
        ForestLayout layout = ForestLayout.Of(client);
        RlweParameters parameters = ParameterSpecifications.Create(client.Parameters);
        FeatureLevels[] levels = [.. client.Features.Select(feature => new FeatureLevels([.. feature.Edges], feature.AbsentLevel))];
        int at = 0, leaves = 0;
        var offsets = new int[layout.Trees.Count];
        for (int k = 0; k < offsets.Length; k++) offsets[k] = ReadNumber(bytes, ref at);
        var parts = new LevelTree[layout.Groups.Count][];
        for (int part = 0; part < parts.Length; part++)
        {
            // A tree has at least one leaf and so some bytes: what cannot be there is not made room for.
            if (layout.Trees[part] > bytes.Length) throw CompiledModelFile.Refuse("its trees are cut off");
            parts[part] = new LevelTree[layout.Trees[part]];
            for (int tree = 0; tree < parts[part].Length; tree++)
            {
                var found = new List<LevelLeaf>();
                ReadTree(bytes, ref at, levels, layout.Values, [], found, ref leaves);
                parts[part][tree] = new LevelTree(found);
            }
        }
        if (at != bytes.Length) throw CompiledModelFile.Refuse("bytes follow after its last tree");
        var forest = new LevelForest(levels, parts, offsets);
        ForestSpecification.Require(forest, client, layout, parameters);
        return new CompiledForest(client, parameters, forest);
    }

    private static void WriteTree(MemoryStream stream, IReadOnlyList<LevelLeaf> leaves, int from, int to, int depth)
    {
        if (leaves[from].Path.Count == depth)
        {
            stream.WriteByte(Leaf);
            foreach (int value in leaves[from].Values) WriteNumber(stream, value);
            return;
        }
        LevelQuestion question = leaves[from].Path[depth].Question;
        Span<byte> bytes = stackalloc byte[1 + QuestionBytes];
        bytes[0] = Question;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[1..], (ushort)question.Feature);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[3..], question.Yes.Low);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[19..], question.Yes.High);
        stream.Write(bytes);
        int no = from;
        while (leaves[no].Path[depth].Answer) no++;
        WriteTree(stream, leaves, from, no, depth + 1);
        WriteTree(stream, leaves, no, to, depth + 1);
    }

    private static void ReadTree(ReadOnlySpan<byte> bytes, ref int at, FeatureLevels[] levels, int values, List<(LevelQuestion, bool)> path, List<LevelLeaf> found, ref int leaves)
    {
        switch (Take(bytes, ref at, 1)[0])
        {
            case Leaf:
                if (++leaves > ForestCheck.MaximumLeaves) throw CompiledModelFile.Refuse("it has too many leaves");
                var numbers = new int[values];
                for (int k = 0; k < values; k++) numbers[k] = ReadNumber(bytes, ref at);
                found.Add(new LevelLeaf([.. path], numbers));
                return;
            case Question:
                if (path.Count == ForestCheck.MaximumDepth) throw CompiledModelFile.Refuse("a path asks too many questions");
                ReadOnlySpan<byte> taken = Take(bytes, ref at, QuestionBytes);
                int feature = BinaryPrimitives.ReadUInt16LittleEndian(taken);
                var yes = new LevelSet(BinaryPrimitives.ReadUInt128LittleEndian(taken[2..]), BinaryPrimitives.ReadUInt128LittleEndian(taken[18..]));
                if (feature >= levels.Length || yes.IsEmpty || !(yes - levels[feature].All).IsEmpty || (levels[feature].All - yes).IsEmpty) throw CompiledModelFile.Refuse("a question has one answer, or no feature");
                foreach (bool answer in (ReadOnlySpan<bool>)[true, false])
                {
                    path.Add((new LevelQuestion(feature, yes), answer));
                    ReadTree(bytes, ref at, levels, values, path, found, ref leaves);
                    path.RemoveAt(path.Count - 1);
                }
                return;
            default:
                throw CompiledModelFile.Refuse("a node is neither a question nor a leaf");
        }
    }

    private static void WriteNumber(MemoryStream stream, int number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        stream.Write(bytes);
    }

    private static int ReadNumber(ReadOnlySpan<byte> bytes, ref int at)
    {
        int number = BinaryPrimitives.ReadInt32LittleEndian(Take(bytes, ref at, 4));
        return number is >= -LeafScales.Limit and <= LeafScales.Limit ? number : throw CompiledModelFile.Refuse("a leaf's value is out of range");
    }

    private static ReadOnlySpan<byte> Take(ReadOnlySpan<byte> bytes, ref int at, int count)
    {
        if (bytes.Length - at < count) throw CompiledModelFile.Refuse("its trees are cut off");
        ReadOnlySpan<byte> taken = bytes.Slice(at, count);
        at += count;
        return taken;
    }
}
