using Hardway.Api.Protobuf;
using static Hardway.Api.Tests.Wire;

namespace Hardway.Api.Tests;

/// <summary>OpenAPI documents as gnostic's messages.</summary>
public sealed class OpenApiProtobufTests
{
    [Fact]
    public void A_document_of_version_2_has_its_numbers()
    {
        var json = """
            {"swagger":"2.0","info":{"title":"t","version":"v"},"paths":{"/a":{"get":{"tags":["x"],"operationId":"o","parameters":[{"name":"q","in":"query","type":"string","uniqueItems":true},{"name":"body","in":"body","schema":{"$ref":"#/definitions/A"}}],
            "responses":{"200":{"description":"OK","schema":{"$ref":"#/definitions/A"}}},"x-kubernetes-action":"get"}}},"definitions":{"A":{"type":"object","properties":{"m":{"type":"object","additionalProperties":{"type":"string"}},"l":{"type":"array","items":{"type":"string"}}}}}}
            """u8;
        var reference = Message(m => m(1, "#/definitions/A"));
        var query = Message(m => m(3, Message(q => { q(2, "query"); q(4, "q"); q(6, "string"); q(20, true); })));
        var body = Message(m => { m(2, "body"); m(3, "body"); m(5, reference); });
        var text = Message(m => m(22, Message(t => t(1, "string"))));
        var operation = Message(m =>
        {
            m(1, "x"); m(5, "o");
            m(8, Message(i => i(1, Message(p => p(2, query)))));
            m(8, Message(i => i(1, Message(p => p(1, body)))));
            m(9, Message(r => r(1, Message(n => { n(1, "200"); n(2, Message(v => v(1, Message(a => { a(1, "OK"); a(2, Message(i => i(1, reference))); })))); }))));
            m(13, Message(x => { x(1, "x-kubernetes-action"); x(2, Message(a => a(2, "\"get\"\n"))); }));
        });
        var map = Message(m => { m(21, Message(a => a(1, text))); m(22, Message(t => t(1, "object"))); });
        var list = Message(m => { m(22, Message(t => t(1, "array"))); m(23, Message(i => i(1, text))); });
        var type = Message(m =>
        {
            m(22, Message(t => t(1, "object")));
            m(25, Message(p => { p(1, Message(n => { n(1, "m"); n(2, map); })); p(1, Message(n => { n(1, "l"); n(2, list); })); }));
        });
        var expected = Message(m =>
        {
            m(1, "2.0");
            m(2, Message(i => { i(1, "t"); i(2, "v"); }));
            m(8, Message(p => p(2, Message(n => { n(1, "/a"); n(2, Message(i => i(2, operation))); }))));
            m(9, Message(d => d(1, Message(n => { n(1, "A"); n(2, type); }))));
        });
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(OpenApiProtobuf.V2(json)));
    }

    [Fact]
    public void A_document_of_version_3_has_its_numbers()
    {
        var json = """
            {"openapi":"3.0.0","info":{"title":"t","version":"v"},"paths":{"/a":{"put":{"requestBody":{"content":{"*/*":{"schema":{"$ref":"#/c/A"}}},"required":true},"responses":{"401":{"description":"no"}}},"parameters":[{"name":"n","in":"path","required":true,"schema":{"type":"string"}}]}},
            "components":{"schemas":{"A":{"type":"object","required":["m"],"properties":{"m":{"default":"d","allOf":[{"$ref":"#/c/B"}]}}}}}}
            """u8;
        byte[] Reference(string to) => Message(m => m(2, Message(r => r(1, to))));
        var parameter = Message(m => { m(1, "n"); m(2, "path"); m(4, true); m(10, Message(s => s(1, Message(t => t(25, "string"))))); });
        var content = Message(m => m(1, Message(n => { n(1, "*/*"); n(2, Message(t => t(1, Reference("#/c/A")))); })));
        var put = Message(m =>
        {
            m(7, Message(b => b(1, Message(r => { r(2, content); r(3, true); }))));
            m(8, Message(r => r(2, Message(n => { n(1, "401"); n(2, Message(a => a(1, Message(d => d(1, "no"))))); }))));
        });
        var property = Message(m => { m(26, Reference("#/c/B")); m(33, Message(d => d(3, "d"))); });
        var type = Message(m => { m(23, "m"); m(25, "object"); m(31, Message(p => p(1, Message(n => { n(1, "m"); n(2, Message(s => s(1, property))); })))); });
        var expected = Message(m =>
        {
            m(1, "3.0.0");
            m(2, Message(i => { i(1, "t"); i(6, "v"); }));
            m(4, Message(p => p(1, Message(n => { n(1, "/a"); n(2, Message(i => { i(5, put); i(13, Message(x => x(1, parameter))); })); }))));
            m(5, Message(c => c(1, Message(s => s(1, Message(n => { n(1, "A"); n(2, Message(x => x(1, type))); }))))));
        });
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(OpenApiProtobuf.V3(json)));
    }
}
