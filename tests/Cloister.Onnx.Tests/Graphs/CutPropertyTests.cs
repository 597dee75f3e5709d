using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Xunit.Abstractions;

namespace Cloister.Onnx.Tests.Graphs;

/// <summary>What the finder and the cutter say of thousands of small graphs, against trying every set of values.</summary>
public sealed class CutPropertyTests(ITestOutputHelper output)
{
    private const int Graphs = 2000, MostTensors = 3;

    [Fact]
    public void Cuts_are_what_trying_every_set_finds()
    {
        int single = 0, several = 0, listed = 0;
        for (int seed = 0; seed < Graphs; seed++)
        {
            ModelGraph graph = RandomGraph.Draw(seed);
            var truth = new EveryCut(graph, MostTensors);
            HashSet<string> found = [.. CutFinder.Find(graph, MostTensors).Select(cut => EveryCut.Key(cut.Tensors))];
            Assert.True(truth.Cuts.Where(set => !set.Contains(' ')).All(found.Contains), $"seed {seed}: a cut of one tensor was not found");
            Assert.True(found.IsSubsetOf(truth.Cuts), $"seed {seed}: {string.Join("; ", found.Except(truth.Cuts))} is no cut");
            single += found.Count(set => !set.Contains(' '));
            several += truth.Cuts.Count(set => set.Contains(' '));
            listed += found.Count(set => set.Contains(' '));
        }
        output.WriteLine($"{single} cuts of one tensor; {listed} of {several} of two or three listed");
        Assert.True(single > 2000 && listed > 200, $"{single} {listed}");
    }

    [Fact]
    public void A_named_set_is_taken_exactly_if_it_is_a_cut_and_else_refused_with_the_reason()
    {
        for (int seed = 0; seed < Graphs / 3; seed++)
        {
            ModelGraph graph = RandomGraph.Draw(seed);
            var truth = new EveryCut(graph, 2);
            foreach (string[] set in truth.Sets)
            {
                GraphError? refused = Refusal(() => graph.Cut(set));
                GraphError? expected = truth.Cuts.Contains(EveryCut.Key(set)) ? null : set.Any(name => graph.Values[name].ShowsInput) ? GraphError.LeaksInput : GraphError.NotACut;
                Assert.True(expected == refused, $"seed {seed}: {string.Join(' ', set)} gives {refused}, not {expected}");
            }
        }
    }

    [Fact]
    public void Parts_compute_the_whole_from_what_crosses_and_hold_nothing_that_they_do_not_need()
    {
        int tails = 0;
        for (int seed = 0; seed < Graphs; seed++)
        {
            ModelGraph graph = RandomGraph.Draw(seed);
            ImmutableArray<Cut> cuts = CutFinder.Find(graph, MostTensors);
            foreach (Cut front in cuts)
            {
                WordRun.DemandWhole(graph, GraphCutter.Split(graph, front.Tensors), $"seed {seed} at {string.Join(' ', front.Tensors)}");
                Cut? tail = cuts.LastOrDefault(cut => Refusal(() => GraphCutter.Split(graph, front.Tensors, cut.Tensors)) is null);
                if (tail is null)
                    continue;
                tails++;
                WordRun.DemandWhole(graph, GraphCutter.Split(graph, front.Tensors, tail.Tensors), $"seed {seed} at {string.Join(' ', front.Tensors)} | {string.Join(' ', tail.Tensors)}");
            }
        }
        Assert.True(tails > 500, $"{tails}");
    }

    [Fact]
    public void Prices_are_those_of_the_parts()
    {
        for (int seed = 0; seed < Graphs; seed++)
        {
            ModelGraph graph = RandomGraph.Draw(seed);
            foreach (Cut cut in CutFinder.Find(graph, MostTensors))
            {
                PartitionedModel parts = GraphCutter.Split(graph, cut.Tensors);
                Assert.Equal((cut.WeightBytesBefore, cut.WeightBytesAfter), (Bytes(parts.Front), Bytes(parts.Back)));
                Assert.Equal(cut.NodesBefore, parts.Front.Graph.Nodes.Count(node => node.OpType == "Einsum"));
                Assert.Equal(8 * cut.Tensors.Length, cut.BoundaryBytes);
            }
        }

        static long Bytes(ModelProto part) => part.Graph.Initializers.Length * sizeof(float);
    }

    private static GraphError? Refusal(Action act)
    {
        try
        {
            act();
            return null;
        }
        catch (GraphException refusal)
        {
            return refusal.Error;
        }
    }
}
