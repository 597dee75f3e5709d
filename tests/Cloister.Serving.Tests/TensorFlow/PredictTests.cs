using System.Net;
using Cloister.Onnx.Tests.Runtime;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.TensorFlow;

/// <summary>Predict requests that are answered; the cases are TF Serving's own (util/json_tensor_test.cc), put to real models.</summary>
public sealed class PredictTests
{
    [Theory]
    [InlineData("""{"instances":[1.0,2.0,5.0]}""", "{\n    \"predictions\": [2.5, 3.0, 4.5\n    ]\n}")]
    [InlineData("""{"signature_name":"serving_default","instances":[{"x":1},{"x":2},{"x":5}]}""", "{\n    \"predictions\": [2.5, 3.0, 4.5\n    ]\n}")]
    [InlineData("""{"inputs":[1.0,2.0,5.0],"signature_name":""}""", "{\n    \"outputs\": [\n        2.5,\n        3.0,\n        4.5\n    ]\n}")]
    [InlineData("""{"inputs":{"x":[NaN,Infinity,-Infinity,Inf,-Inf,-NaN,0.2,1e10]}}""", "{\n    \"outputs\": [\n        NaN,\n        Infinity,\n        -Infinity,\n        Infinity,\n        -Infinity,\n        NaN,\n        2.1,\n        5e+09\n    ]\n}")]
    [InlineData("""{"instances":[1.7976931348623157e308,-1.7976931348623157e308,2.2250738585072014e-308]}""", "{\n    \"predictions\": [Infinity, -Infinity, 2.0\n    ]\n}")]
    [InlineData("""{"instances":[1]} what follows is passed over""", "{\n    \"predictions\": [2.5\n    ]\n}")]
    [InlineData("""{"extra":[{"a":null,"b":[true,"\"]}"]}],"instances":[1],"more":-1.5e-3}""", "{\n    \"predictions\": [2.5\n    ]\n}")]
    [InlineData("""{"inputs":{"x":[1],"stranger":[[1],"two"]}}""", "{\n    \"outputs\": [\n        2.5\n    ]\n}")]
    [InlineData("""{"inputs":[]}""", "{\n    \"outputs\": []\n}")]
    [InlineData("\uFEFF{\"instances\":[1]}", "{\n    \"predictions\": [2.5\n    ]\n}")]
    public async Task Half_plus_two_predicts(string request, string answer)
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        Assert.Equal((HttpStatusCode.OK, answer), await server.PostAsync("/v1/models/half:predict", request));
    }

    [Fact]
    public async Task What_is_passed_over_may_nest_to_any_depth()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        string deep = new string('[', 500_000) + new string(']', 500_000);
        Assert.Equal((HttpStatusCode.OK, "{\n    \"predictions\": [2.5\n    ]\n}"), await server.PostAsync("/v1/models/half:predict", $$"""{"instances":[1], "nested":{{deep}}}"""));
        (HttpStatusCode status, string body) = await server.PostAsync("/v1/models/half:predict", $$"""{"signature_name":{{deep}}}""");
        Assert.Equal((HttpStatusCode.BadRequest, "JSON Value: {\n    \"signature_name\": " + new string('[', 232) + " not formatted correctly. 'signature_name' key must be a string value."), (status, Refusal.Reason(body)));
    }

    [Fact]
    public async Task Several_inputs_and_outputs_are_named()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("two", TestModels.SumAndDifference));
        Assert.Equal((HttpStatusCode.OK, """
            {
                "predictions": [
                    {
                        "sum": [11.0, 22.0],
                        "difference": [9.0, 18.0]
                    },
                    {
                        "sum": [33.0, 44.0],
                        "difference": [27.0, 36.0]
                    }
                ]
            }
            """), await server.PostAsync("/v1/models/two:predict", """{"instances":[{"a":[10,20],"b":[1,2]},{"b":[3,4],"a":[30,40]}]}"""));
        Assert.Equal((HttpStatusCode.OK, """
            {
                "outputs": {
                    "sum": [
                        [
                            11.0,
                            22.0
                        ]
                    ],
                    "difference": [
                        [
                            9.0,
                            18.0
                        ]
                    ]
                }
            }
            """), await server.PostAsync("/v1/models/two:predict", """{"inputs":{"b":[[1,2]],"a":[[10,20]]}}"""));
    }

    [Fact]
    public async Task Texts_and_bytes_go_through()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("text", TestModels.TextIdentity));
        Assert.Equal((HttpStatusCode.OK, """
            {
                "predictions": [
                    {
                        "y": "a",
                        "y_bytes": {
                            "b64": "YQ=="
                        }
                    },
                    {
                        "y": "ä",
                        "y_bytes": {
                            "b64": "w6Q="
                        }
                    }
                ]
            }
            """), await server.PostAsync("/v1/models/text:predict", """{"instances":["a",{"b64":"w6Q="}]}"""));
        Assert.Equal((HttpStatusCode.OK, "{\n    \"outputs\": {\n        \"y\": [\n            \"\\b\\f\\u001F\\n\\\"\\\\/\u007F\"\n        ],\n        \"y_bytes\": [\n            {\n                \"b64\": \"CAwfCiJcL38=\"\n            }\n        ]\n    }\n}"),
            await server.PostAsync("/v1/models/text:predict", """{"inputs":["\b\f\u001f\n\"\\\/\u007f"]}"""));
        Assert.Equal((HttpStatusCode.OK, "{\n    \"outputs\": {\n        \"y\": [\n            \"hello\"\n        ],\n        \"y_bytes\": [\n            {\n                \"b64\": \"aGVsbG8=\"\n            }\n        ]\n    }\n}"),
            await server.PostAsync("/v1/models/text:predict", """{"inputs":{"x":[{"b64":"aGVs\nbG8"}]}}"""));
    }

    [Theory]
    [InlineData(1, "[[9000000,999999,0.5],[0.0003,0.00003,555557.5]]", "[9e+06, 999999.0, 0.5], [0.0003, 3e-05, 555557.5]")]
    [InlineData(1, "[[1435774380,-0.0],[16777217,1e-45]]", "[1.43577434e+09, -0.0], [16777216.0, 1.4013e-45]")]
    [InlineData(11, "[[9000000,0.1],[1e300,3]]", "[9e+06, 0.1], [1e+300, 3.0]")]
    [InlineData(11, "[[0.30000000000000004,123456789]]", "[0.30000000000000004, 123456789.0]")]
    [InlineData(7, "[[9223372036854775807,-9223372036854775808]]", "[9223372036854775807, -9223372036854775808]")]
    [InlineData(13, "[[18446744073709551615,0]]", "[18446744073709551615, 0]")]
    [InlineData(12, "[[4294967295,0]]", "[4294967295, 0]")]
    [InlineData(6, "[[2147483647,-2147483648]]", "[2147483647, -2147483648]")]
    [InlineData(2, "[[255,0]]", "[255, 0]")]
    [InlineData(9, "[[true,false]]", "[true, false]")]
    [InlineData(8, "[[\"foo\",\"bar\"],[\"baz\",{\"b64\":\"YmF0\"}]]", "[\"foo\", \"bar\"], [\"baz\", \"bat\"]")]
    public async Task Numbers_are_written_as_TF_Serving_does(int type, string instances, string predictions)
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", TestModels.Identity(type)));
        Assert.Equal((HttpStatusCode.OK, $"{{\n    \"predictions\": [{predictions}\n    ]\n}}"), await server.PostAsync("/v1/models/identity:predict", $$"""{"instances":{{instances}}}"""));
    }

    [Fact]
    public async Task A_scalar_goes_in_and_out()
    {
        byte[] model = new HandmadeModel().Input("x", 1).Node("Identity", ["x"], ["y"]).Output("y", 1).ToBytes();
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("scalar", model));
        Assert.Equal((HttpStatusCode.OK, "{\n    \"outputs\": 7.0\n}"), await server.PostAsync("/v1/models/scalar:predict", """{"inputs":7}"""));
        Assert.Equal((HttpStatusCode.OK, "{\n    \"outputs\": 7.0\n}"), await server.PostAsync("/v1/models/scalar:predict", """{"inputs":{"x":7}}"""));
    }
}
