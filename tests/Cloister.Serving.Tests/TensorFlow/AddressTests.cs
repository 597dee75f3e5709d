using System.Net;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.TensorFlow;

/// <summary>Addresses, as TF Serving's own tests have them (model_servers/http_rest_api_util_test.cc, http_rest_api_handler_test.cc).</summary>
public sealed class AddressTests
{
    private const string Reserved = "%21%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40%5B%5D";

    [Theory]
    [InlineData("/v1/models/half:predict"), InlineData("/V1/Models/half/VERSIONS/1:Predict"), InlineData("/v1/models/half/versions/01:predict"), InlineData("/v1/models/%68alf:predict?x=y")]
    public async Task Addresses_are_matched_without_regard_to_case(string path)
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync(path, """{"instances":[1]}""")).Status);
    }

    [Theory]
    [InlineData("POST", "/v1/models/half")]
    [InlineData("POST", "/v1/models")]
    [InlineData("POST", "/v1/foo")]
    [InlineData("POST", "/v1/models/half/metadata")]
    [InlineData("POST", "/v1/models/half/version/50:regress")]
    [InlineData("POST", "/v1/models/half/versions/HELLO:regress")]
    [InlineData("POST", "/v1/models/half/versions/:predict")]
    [InlineData("POST", "/v1/models/half/label/some_label:regress")]
    [InlineData("POST", "/v1/models/half/versions/50/labels/some_label:regress")]
    [InlineData("POST", "/v1/models/half:predict/")]
    [InlineData("POST", "/v1/models/half:forecast")]
    [InlineData("POST", "/v1/models/:predict")]
    [InlineData("GET", "/v1/foo")]
    [InlineData("GET", "/v1/models/half:predict")]
    [InlineData("GET", "/v1/models/half/version/50:predict")]
    [InlineData("PUT", "/v1/models/half:predict")]
    [InlineData("DELETE", "/v1/models/half")]
    public async Task What_is_no_address_is_malformed(string method, string path)
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        Assert.Equal((HttpStatusCode.BadRequest, Refusal.Body($"Malformed request: {method} {path}")), await SendAsync(server, method, path));
    }

    [Theory]
    [InlineData("GET", "/v1/models", 400, "Missing model name in request.")]
    [InlineData("GET", "/v1/models/versions/1", 400, "Missing model name in request.")]
    [InlineData("GET", "/v1/models/none", 404, "Could not find any versions of model none")]
    [InlineData("GET", "/v1/models/half/versions/7", 404, "Could not find version 7 of model half")]
    [InlineData("GET", "/v1/models/none/metadata", 404, "Servable not found for request: Latest(none)")]
    [InlineData("GET", "/v1/models/half/versions/7/metadata", 404, "Servable not found for request: Specific(half, 7)")]
    [InlineData("GET", "/v1/models/half/versions/18446744073709551615", 400, "Failed to convert version: 18446744073709551615 to numeric.")]
    [InlineData("POST", "/v1/models/half/versions/18446744073709551615:regress", 400, "Failed to convert version: 18446744073709551615 to numeric.")]
    [InlineData("POST", "/v1/models/HALF:predict", 404, "Servable not found for request: Latest(HALF)")]
    [InlineData("POST", "/v1/models/half/versions/50:predict", 404, "Servable not found for request: Specific(half, 50)")]
    [InlineData("POST", "/v1/models/half/labels/stable:predict", 400, "Unrecognized servable version label: stable")]
    [InlineData("POST", "/v1/models/half/labels/a" + Reserved + ":classify", 400, "Unrecognized servable version label: a!#$%&'()*+,/:;=?@[]")]
    [InlineData("POST", "/v1/models/a" + Reserved + ":predict", 404, "Servable not found for request: Latest(a!#$%&'()*+,/:;=?@[])")]
    public async Task What_is_not_served_is_said_in_TF_Serving_s_words(string method, string path, int status, string reason)
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        (HttpStatusCode answered, string body) = await SendAsync(server, method, path);
        Assert.Equal((status, reason), ((int)answered, Refusal.Reason(body)));
    }

    [Fact]
    public async Task Status_and_metadata_have_TF_Serving_s_form()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        const string Status = "{\n \"model_version_status\": [\n  {\n   \"version\": \"1\",\n   \"state\": \"AVAILABLE\",\n   \"status\": {\n    \"error_code\": \"OK\",\n    \"error_message\": \"\"\n   }\n  }\n ]\n}\n";
        foreach (string path in new[] { "/v1/models/half", "/v1/models/half/versions/1", "/v1/models/half/labels/any" })
            Assert.Equal((HttpStatusCode.OK, Status), await server.GetAsync(path));
        (HttpStatusCode status, string metadata) = await server.GetAsync("/v1/models/half/metadata");
        Assert.Equal((HttpStatusCode.OK, """
            {
            "model_spec":{
             "name": "half",
             "signature_name": "",
             "version": "1"
            }
            ,
            "metadata": {"signature_def": {
             "signature_def": {
              "serving_default": {
               "inputs": {
                "x": {
                 "dtype": "DT_FLOAT",
                 "tensor_shape": {
                  "dim": [
                   {
                    "size": "-1",
                    "name": ""
                   }
                  ],
                  "unknown_rank": false
                 },
                 "name": "x"
                }
               },
               "outputs": {
                "y": {
                 "dtype": "DT_FLOAT",
                 "tensor_shape": {
                  "dim": [
                   {
                    "size": "-1",
                    "name": ""
                   }
                  ],
                  "unknown_rank": false
                 },
                 "name": "y"
                }
               },
               "method_name": "tensorflow/serving/predict",
               "defaults": {}
              },
              "regression": {
               "inputs": {
                "inputs": {
                 "dtype": "DT_STRING",
                 "tensor_shape": {
                  "dim": [
                   {
                    "size": "-1",
                    "name": ""
                   }
                  ],
                  "unknown_rank": false
                 },
                 "name": "inputs"
                }
               },
               "outputs": {
                "outputs": {
                 "dtype": "DT_FLOAT",
                 "tensor_shape": {
                  "dim": [
                   {
                    "size": "-1",
                    "name": ""
                   }
                  ],
                  "unknown_rank": false
                 },
                 "name": "outputs"
                }
               },
               "method_name": "tensorflow/serving/regress",
               "defaults": {}
              }
             }
            }
            }
            }

            """), (status, metadata));
        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(metadata);
    }

    [Theory]
    [InlineData(false, "https://page.example", 200), InlineData(false, null, 400), InlineData(true, "http://page.example", 200), InlineData(true, "file://", 400)]
    public async Task A_browser_may_ask_first(bool allow, string? origin, int status)
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync(options => options with { CrossOrigin = allow });
        using var request = new HttpRequestMessage(HttpMethod.Options, "/v1/models/half:predict");
        if (origin is not null) request.Headers.Add("Origin", origin);
        using HttpResponseMessage preflight = await server.Client.SendAsync(request);
        Assert.Equal((status, ""), ((int)preflight.StatusCode, await preflight.Content.ReadAsStringAsync()));
        using HttpResponseMessage answer = await server.Client.PostAsync("/v1/models/half:predict", new StringContent("""{"instances":[1]}"""));
        foreach (HttpResponseMessage response in new[] { preflight, answer })
        {
            string[] expected = allow ? ["*", "POST, GET", "Content-Type"] : [];
            Assert.Equal(expected, new[] { "Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers" }.SelectMany(name => response.Headers.TryGetValues(name, out var values) ? values : []));
        }
    }

    private static async Task<(HttpStatusCode Status, string Body)> SendAsync(TestServer server, string method, string path)
    {
        var creation = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(server.Client.BaseAddress!.GetLeftPart(UriPartial.Authority) + path, creation));
        if (method != "GET") request.Content = new StringContent("""{"instances":[1]}""");
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
