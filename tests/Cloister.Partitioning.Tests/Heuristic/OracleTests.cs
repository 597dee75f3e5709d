using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Heuristic;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Heuristic;

public sealed class OracleTests
{
    [SharedDataFact]
    public void Probabilities_and_logits_are_told_apart()
    {
        using Oracle resnet = Oracle.Open(ExposureData.Model(), Preprocessing.Parse("imagenet"), ExposureData.Size);
        Assert.Equal((AnswerForm.Probabilities, 10), (resnet.Form, resnet.Classes));
        using Oracle mnist = Oracle.Open(Mnist(), Preprocessing.Parse("raw"));
        Assert.Equal((AnswerForm.Logits, 10, new PictureSize(1, 28, 28)), (mnist.Form, mnist.Classes, mnist.Size));
        double[] answer = mnist.Answer(ExposureData.Pictures(1)[0], ExposureData.Size);
        Assert.Equal(1, answer.Sum(), 1e-12);
        Assert.All(answer, value => Assert.InRange(value, 0, 1));
    }

    [SharedDataFact]
    public void Its_answer_to_a_picture_is_the_models_own()
    {
        using Oracle resnet = Oracle.Open(ExposureData.Model(), Preprocessing.Parse("imagenet"), ExposureData.Size);
        AssessedPicture picture = ExposureData.Pictures(1)[0];
        // models/vision/cifar10-resnet20.expected.json
        Assert.Equal([0.69895, 0.00009, 0.00365, 0.0001, 0.00002, 0, 0.00001, 0, 0.27957, 0.01762], resnet.Answer(picture, ExposureData.Size), (a, b) => Math.Abs(a - b) < 2e-5);
    }

    [Fact]
    public void A_softmax_is_stable_and_a_zero_answer_or_one_that_is_not_finite_is_refused()
    {
        Assert.Equal([0.5, 0.5, 0], Oracle.Probabilities([3e38f, 3e38f, -3e38f], AnswerForm.Logits));
        Assert.Equal([0.25, 0.75], Oracle.Probabilities([0.25f, 0.75f], AnswerForm.Probabilities));
        foreach (float[] bad in new float[][] { [float.NaN, 1], [float.PositiveInfinity, 0], [0, float.NegativeInfinity] })
            Assert.Equal(PartitioningError.ClassifierRefused, Assert.Throws<PartitioningException>(() => Oracle.Probabilities(bad, AnswerForm.Logits)).Error);
        Assert.Equal(PartitioningError.ClassifierRefused, Assert.Throws<PartitioningException>(() => Oracle.Probabilities([0, 0], AnswerForm.Probabilities)).Error);
    }

    [Fact]
    public void A_negative_value_or_a_sum_that_is_not_one_is_no_probability()
    {
        Assert.Equal(AnswerForm.Probabilities, Oracle.FormOf([[0.2f, 0.8f], [1, 0]]));
        Assert.Equal(AnswerForm.Logits, Oracle.FormOf([[0.2f, 0.8f], [1.5f, -0.5f]]));
        Assert.Equal(AnswerForm.Logits, Oracle.FormOf([[0.2f, 0.8f], [0.9f, 0.9f]]));
    }

    [SharedDataFact]
    public void A_model_that_is_no_classifier_of_pictures_is_refused()
    {
        void Refused(Action open) => Assert.Equal(PartitioningError.ClassifierRefused, Assert.Throws<PartitioningException>(open).Error);
        ModelProto halfPlusTwo = OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/serving/half_plus_two.onnx")));
        Refused(() => Oracle.Open(halfPlusTwo, Preprocessing.Parse("raw")));
        Refused(() => Oracle.Open(halfPlusTwo, Preprocessing.Parse("raw"), new PictureSize(3, 8, 8)));
        Refused(() => Oracle.Open(Mnist(), Preprocessing.Parse("raw"), output: "elsewhere"));
        Assert.Throws<PictureException>(() => Oracle.Open(Mnist(), Preprocessing.Parse("imagenet")));
    }

    private static ModelProto Mnist() => OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/mnist.onnx")));
}
