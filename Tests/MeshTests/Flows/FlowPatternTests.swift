import Envelope
import Mesh
import Testing

@Suite struct FlowPatternTests {
    @Test(arguments: ["*", "plant-a/*", "plant-a/press", "manager"]) func itIsWrittenAsItIsRead(_ text: String) throws {
        #expect(try FlowPattern(text).description == text)
    }

    @Test func eachFormMeansItsKind() throws {
        #expect(try FlowPattern("*") == .everything)
        #expect(try FlowPattern("plant-a/*") == .zone(ZoneName("plant-a")))
        #expect(try FlowPattern("plant-a/press") == .node(node("plant-a/press")))
        #expect(try FlowPattern("manager") == .service(.manager))
    }

    @Test(arguments: ["", "/", "*/", "*/*", "*/press", "a/b/c", "a/b/*", "Plant/x", "a/", "/b", "**", "a/pre*", "a b"])
    func otherTextsThrow(_ text: String) {
        #expect(throws: FlowError.pattern(text)) { try FlowPattern(text) }
    }
}
