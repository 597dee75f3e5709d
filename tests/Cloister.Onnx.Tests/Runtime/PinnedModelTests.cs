using System.Runtime.InteropServices;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Tests.Runtime;

public class PinnedModelTests
{
    private const int Float = 1, Double = 11, Width = 160; // 160 x 160 floats are 100 KiB: large enough to be lent

    [Fact]
    public void WeightsInsideTheModelAreUsedWhereTheyLieWhateverTheirAlignment()
    {
        // Names of all lengths move the weights to all alignments.
        for (int length = 1; length <= 8; length++)
        {
            byte[] model = Chain(new string('w', length), layers: 3);
            using PinnedBuffer buffer = Pinned(model);
            using OrtSession session = OrtSession.FromPinned(buffer);
            Assert.True(session.WeightsInPlace);
            buffer.Dispose(); // the session keeps what it uses
            using OrtSession plain = OrtSession.FromMemory(model);
            Assert.Equal(Run(plain), Run(session));
        }
    }

    [Fact]
    public void EightByteElementsAreMovedToTheirAlignmentToo()
    {
        for (int length = 1; length <= 8; length++)
        {
            byte[] model = new HandmadeModel().Input("x", Double, -1, Width)
                .Inline(new string('w', length), Double, [Width, Width], [.. Enumerable.Range(0, Width * Width).Select(i => (double)(i % 11))])
                .Node("MatMul", ["x", new string('w', length)], ["y"]).Output("y", Double, -1, Width).ToBytes();
            using PinnedBuffer buffer = Pinned(model);
            using OrtSession session = OrtSession.FromPinned(buffer);
            Assert.True(session.WeightsInPlace);
            using var x = OrtTensor.Allocate<double>([1, Width]);
            x.Span<double>().Fill(1);
            using OrtTensor y = Assert.Single(session.Run(new Dictionary<string, OrtTensor> { ["x"] = x }));
            for (int j = 0; j < Width; j++)
                Assert.Equal(Enumerable.Range(0, Width).Sum(i => (i * Width + j) % 11), y.Span<double>()[j]);
        }
    }

    [Fact]
    public void FewWeightsArePackedAndTheBufferStaysAsItWas()
    {
        byte[] model = Chain("w", layers: 2);
        using PinnedBuffer buffer = Pinned(model);
        using OrtSession session = OrtSession.FromPinned(buffer, inPlaceFrom: 1 << 20);
        Assert.False(session.WeightsInPlace);
        Assert.True(buffer.Span(0, model.Length).SequenceEqual(model));
        using OrtSession plain = OrtSession.FromMemory(model);
        Assert.Equal(Run(plain), Run(session));
    }

    [Fact]
    public void ConvolutionsAreCopiedWhileDenseLayersBesideThemAreLent()
    {
        const int channels = 64;
        byte[] model = new HandmadeModel().Input("x", Float, -1, channels, 4, 4)
            .Inline("W", Float, [channels, channels, 3, 3], Enumerable.Repeat(1f, channels * channels * 9).ToArray())
            .Inline("D", Float, [256, 256], [.. Enumerable.Range(0, 256 * 256).Select(i => i % 257 == 0 ? 2f : 0f)])
            .Node("Conv", ["x", "W"], ["t"], HandmadeModel.Ints("kernel_shape", 3, 3)).Node("Flatten", ["t"], ["f"])
            .Node("MatMul", ["f", "D"], ["y"]).Output("y", Float, -1, 256).ToBytes();
        using PinnedBuffer buffer = Pinned(model);
        using OrtSession session = OrtSession.FromPinned(buffer, new OrtSessionOptions { RequireWeightsInPlace = true });
        Assert.True(session.WeightsInPlace);
        using var x = OrtTensor.Allocate<float>([1, channels, 4, 4]);
        x.Span<float>().Fill(1);
        using OrtTensor y = Assert.Single(session.Run(new Dictionary<string, OrtTensor> { ["x"] = x }));
        Assert.All(y.Span<float>().ToArray(), value => Assert.Equal(channels * 9 * 2, value, 0.05));
    }

    [Fact]
    public void ExternalAndInlineWeightsStandBesideEachOther()
    {
        byte[] model = new HandmadeModel().Input("x", Float, -1, Width)
            .Inline("a", Float, [Width, Width], Identity(2)).External("b", Float, [Width, Width], "lent", 4)
            .Node("MatMul", ["x", "a"], ["t"]).Node("MatMul", ["t", "b"], ["y"]).Output("y", Float, -1, Width).ToBytes();
        using var weights = PinnedBuffer.Allocate(Width * Width * 4 + 4);
        MemoryMarshal.AsBytes<float>(Identity(3)).CopyTo(weights.Span(4, Width * Width * 4));
        var external = new Dictionary<string, ExternalWeights> { ["lent"] = new(weights) };
        foreach (long from in new[] { 0L, 1 << 30 })
        {
            using PinnedBuffer buffer = Pinned(model);
            using OrtSession session = OrtSession.FromPinned(buffer, null, external, from);
            Assert.Equal(from == 0, session.WeightsInPlace);
            Assert.Equal(Enumerable.Range(0, Width).Select(i => 6f * (i % 5)), Run(session));
        }
    }

    [Fact]
    public void AWeightThatIsFoldedIsNotLent()
    {
        byte[] model = new HandmadeModel().Input("x", Float, -1, Width).Inline("w", Float, [Width, Width], Identity(2)).Inline("v", Float, [Width, Width], Identity(1))
            .Node("Add", ["w", "v"], ["sum"]).Node("MatMul", ["x", "sum"], ["y"]).Output("y", Float, -1, Width).ToBytes();
        using PinnedBuffer buffer = Pinned(model);
        using OrtSession session = OrtSession.FromPinned(buffer, new OrtSessionOptions { RequireWeightsInPlace = true });
        Assert.False(session.WeightsInPlace);
        Assert.Equal(Enumerable.Range(0, Width).Select(i => 3f * (i % 5)), Run(session));
    }

    [Fact]
    public void AModelThatSaysItsWeightsAreLentIsRefused()
    {
        byte[] model = new HandmadeModel().Input("x", Float, -1, Width).Inline("a", Float, [Width, Width], Identity(2)).External("b", Float, [Width, Width], "lent")
            .Node("MatMul", ["x", "a"], ["t"]).Node("MatMul", ["t", "b"], ["y"]).Output("y", Float, -1, Width).ToBytes();
        using PinnedBuffer buffer = Pinned(model);
        Assert.Equal(OnnxModelError.BadExternalData, Assert.Throws<OnnxModelException>(() => OrtSession.FromPinned(buffer)).Error);
    }

    [Fact]
    public void GuardsAreToldOfWholePagesAndOfTheirEndAfterTheMemoryIsZero()
    {
        var guard = new RecordingGuard();
        byte[] model = Chain("w", layers: 1);
        PinnedBuffer buffer = PinnedBuffer.Allocate(model.Length, guard);
        model.CopyTo(buffer.Span(0, model.Length));
        Assert.Equal(0, guard.Address % Environment.SystemPageSize);
        Assert.Equal(0, guard.Length % Environment.SystemPageSize);
        Assert.InRange(guard.Length, model.Length, model.Length + Environment.SystemPageSize);
        OrtSession session = OrtSession.FromPinned(buffer);
        buffer.Dispose();
        Assert.False(guard.Ended);
        session.Dispose();
        Assert.True(guard.Ended);
        Assert.True(guard.WasZero);
    }

    [Fact]
    public void MutatedModelsInPinnedMemoryLoadOrAreRefused()
    {
        byte[] model = Chain("w", layers: 1);
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            byte[] mutated = [.. model];
            for (int flips = random.Next(1, 4); flips > 0; flips--)
                mutated[random.Next(4) == 0 ? random.Next(mutated.Length) : random.Next(2) == 0 ? random.Next(120) : mutated.Length - 1 - random.Next(120)] = (byte)random.Next(256);
            if (random.Next(4) == 0) Array.Resize(ref mutated, random.Next(mutated.Length));
            using PinnedBuffer buffer = Pinned(mutated);
            try
            {
                OrtSession.FromPinned(buffer).Dispose();
            }
            catch (Exception refusal) when (refusal is OnnxRuntimeException or OnnxModelException)
            {
                // The documented refusals.
            }
        }
    }

    private static PinnedBuffer Pinned(byte[] model)
    {
        var buffer = PinnedBuffer.Allocate(model.Length);
        model.CopyTo(buffer.Span(0, model.Length));
        return buffer;
    }

    private static byte[] Chain(string name, int layers)
    {
        HandmadeModel model = new HandmadeModel().Input("x", Float, -1, Width);
        string at = "x";
        for (int layer = 0; layer < layers; layer++)
        {
            model.Inline(name + layer, Float, [Width, Width], [.. Enumerable.Range(0, Width * Width).Select(i => (float)((i + layer) % 7 - 3))])
                .Node("MatMul", [at, name + layer], [$"t{layer}"]);
            at = $"t{layer}";
        }
        return model.Node("Identity", [at], ["y"]).Output("y", Float, -1, Width).ToBytes();
    }

    private static float[] Identity(float scale)
    {
        float[] values = new float[Width * Width];
        for (int i = 0; i < Width; i++) values[i * Width + i] = scale;
        return values;
    }

    private static float[] Run(OrtSession session)
    {
        using var x = OrtTensor.Allocate<float>([1, Width]);
        for (int i = 0; i < Width; i++) x.Span<float>()[i] = i % 5;
        using OrtTensor y = Assert.Single(session.Run(new Dictionary<string, OrtTensor> { ["x"] = x }));
        return y.Span<float>().ToArray();
    }

    private sealed class RecordingGuard : IMemoryGuard, IDisposable
    {
        public nint Address { get; private set; }

        public long Length { get; private set; }

        public bool Ended { get; private set; }

        public bool WasZero { get; private set; }

        public IDisposable Protect(nint address, long length)
        {
            (Address, Length) = (address, length);
            return this;
        }

        public void Dispose()
        {
            byte[] left = new byte[Length];
            Marshal.Copy(Address, left, 0, left.Length);
            WasZero = !left.AsSpan().ContainsAnyExcept((byte)0);
            Ended = true;
        }
    }
}
