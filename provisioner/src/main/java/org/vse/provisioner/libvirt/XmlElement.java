package org.vse.provisioner.libvirt;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerException;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import org.xml.sax.helpers.DefaultHandler;

/** An element of an XML tree under construction. Every value is escaped by the serializer, line ends in attributes included. */
final class XmlElement {
    private final Element element;

    private XmlElement(Element element) {
        this.element = element;
    }

    static XmlElement root(String name) {
        Document document = builder().newDocument();
        Element element = document.createElement(name);
        document.appendChild(element);
        return new XmlElement(element);
    }

    /**
     * Parses a text from outside; neither a DTD nor any external entity is read.
     *
     * @throws SAXException when it is not well-formed
     */
    static Element parse(String xml) throws SAXException {
        try {
            return builder().parse(new InputSource(new StringReader(xml))).getDocumentElement();
        } catch (IOException e) {
            throw new UncheckedIOException("reading a string cannot fail", e);
        }
    }

    /** Adds an element of the default namespace and returns it. */
    XmlElement add(String name) {
        Element child = document().createElement(name);
        element.appendChild(child);
        return new XmlElement(child);
    }

    /** Adds an element of another namespace, declared on the element itself, and returns it. */
    XmlElement add(String namespace, String qualifiedName) {
        Element child = document().createElementNS(namespace, qualifiedName);
        element.appendChild(child);
        return new XmlElement(child);
    }

    /** Sets an attribute and returns this element. */
    XmlElement with(String name, Object value) {
        element.setAttribute(name, representable(String.valueOf(value)));
        return this;
    }

    /** Sets the element's text and returns this element. */
    XmlElement text(String value) {
        element.setTextContent(representable(value));
        return this;
    }

    /** The whole document, indented, without an XML declaration, ending with a line end. */
    String render() {
        try {
            Transformer transformer = TransformerFactory.newDefaultInstance().newTransformer();
            transformer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
            transformer.setOutputProperty(OutputKeys.INDENT, "yes");
            transformer.setOutputProperty("{http://xml.apache.org/xslt}indent-amount", "2");
            StringWriter text = new StringWriter();
            transformer.transform(new DOMSource(document()), new StreamResult(text));
            return text.toString();
        } catch (TransformerException e) {
            throw new IllegalStateException("the XML serializer of the JDK failed", e);
        }
    }

    private Document document() {
        return element.getOwnerDocument();
    }

    /** XML 1.0, production 2: most control characters have no spelling in XML at all, not even as a reference. */
    private static String representable(String value) {
        int bad = value.codePoints()
                .filter(c -> !(c == '\t'
                        || c == '\n'
                        || c == '\r'
                        || (c >= 0x20 && c <= 0xd7ff)
                        || (c >= 0xe000 && c <= 0xfffd)
                        || c >= 0x10000))
                .findFirst()
                .orElse(-1);
        if (bad >= 0) {
            throw VseException.of(
                            ErrorCode.LIBVIRT_FAILED,
                            String.format(
                                    "libvirt cannot be told '%s': it has the character U+%04X", printable(value), bad))
                    .next("choose a name without control characters");
        }
        return value;
    }

    private static String printable(String value) {
        return value.codePoints()
                .map(c -> c < 0x20 || (c >= 0xd800 && c <= 0xdfff) || c >= 0xfffe ? '?' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    private static DocumentBuilder builder() {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newDefaultNSInstance();
        try {
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            DocumentBuilder builder = factory.newDocumentBuilder();
            // DefaultHandler throws what is fatal and prints nothing; the JDK's own default prints to stderr.
            builder.setErrorHandler(new DefaultHandler());
            return builder;
        } catch (ParserConfigurationException e) {
            throw new IllegalStateException("the XML parser of the JDK failed", e);
        }
    }
}
