using Cloister.Onnx.Runtime;
using Cloister.Tests;

namespace Cloister.Onnx.Tests.Runtime;

public class RealModelTests
{
    [SharedDataFact]
    public void HalfPlusTwoAnswersAsTensorFlowServingsContractSays()
    {
        using var session = OrtSession.FromMemory(File.ReadAllBytes(TestData.Path("models/serving/half_plus_two.onnx")));
        using var input = OrtTensor.OverPinned<float>(new float[] { 1, 2, 5 }, [3]);
        using OrtTensor output = Assert.Single(session.Run(new Dictionary<string, OrtTensor> { [session.Inputs[0].Name] = input }));
        Assert.Equal([2.5f, 3f, 4.5f], output.Span<float>());
    }
}
