import Envelope
import Node

/// Configuration files as the commands read them; their errors end with exit code 4.
enum ConfigurationText {
    /// A value of the command line in the form that configurations have.
    /// - Parameter what: the option or argument that it stands for.
    static func value<Value>(
        _ text: String, _ what: String, _ format: ConfigurationFormat<Value>
    ) throws(Failure) -> Value {
        do throws(ConfigurationFormat<Value>.Mismatch) { return try format.read(text) } catch {
            throw .usage("\(what): '\(text)' \(error.text)")
        }
    }

    enum Kind {
        case node(NodeConfiguration)
        case topology(TopologyFile)
    }

    static func topology(_ path: String) throws(Failure) -> TopologyFile {
        do {
            return try TopologyFile.load(path: path)
        } catch {
            throw failure(error)
        }
    }

    /// A node's own file or a topology, whichever it is.
    static func either(_ path: String) throws(Failure) -> Kind {
        do {
            let bytes = try LocalFile.read(path, limit: Limits.configurationBytes)
            let tree = try YAMLNode.parse(bytes, file: path)
            // Only a topology has zones.
            if tree["zones"] != nil { return .topology(try TopologyFile.decode(bytes, file: path)) }
            return .node(try NodeConfiguration.decode(bytes, file: path))
        } catch let error as ConfigurationError {
            throw failure(error)
        } catch let error as Failure {
            throw Failure(lines: error.lines, hint: error.hint, code: .badConfiguration)
        } catch {
            throw Failure("\(path): \(error)", code: .badConfiguration)
        }
    }

    static func failure(_ error: ConfigurationError) -> Failure {
        let more = error.omitted > 0 ? "and \(error.omitted) more; mend these first" : nil
        return Failure(lines: error.problems.map(\.description), hint: more, code: .badConfiguration)
    }
}
