import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TemplateError } from '../../api/template/lex.ts';
import { parseNoticeTemplate } from '../../api/template/markers.ts';
import { parseTemplate } from '../../api/template/parse.ts';
import { render } from './render.ts';

const anyText = fc.string({
  unit: fc.constantFrom('a', '"', '\\', '\n', '\t', '{', '}', '<', '&', '\u0000', '\u2028', '\u00e9', '\ud83d\ude00', '%', ' '),
});
const rules = { functions: new Set(['toJson', 'printf']) };

describe('a value in a text', () => {
  it('that is JSON is the value again when it is read, wherever it stands', () => {
    const template = parseTemplate(
      '{"a": "<{{ .A }}|{{ .B }}>", "b\\"": {{ .B | toJson }}, "c": "\\\\", "d": ["{{ .A }}"]}',
      rules,
    );
    fc.assert(
      fc.property(anyText, anyText, (A, B) => {
        expect(JSON.parse(render(template, { A, B }, 'Json'))).toEqual({ a: `<${A}|${B}>`, 'b"': B, c: '\\', d: [A] });
      }),
    );
  });

  it('of a label of Prometheus ends neither the label nor the line', () => {
    const template = parseTemplate('m{a="{{ .A }}"} 1', rules);
    fc.assert(
      fc.property(anyText, (A) => {
        const text = render(template, { A }, 'Exposition');
        const [, inner = ''] = /^m\{a="((?:[^"\\\n]|\\[\\"n])*)"\} 1$/.exec(text) ?? [];
        expect(inner.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))).toBe(A);
      }),
    );
  });

  it('of Slack is no markup', () => {
    const template = parseTemplate('<!here> {{ .A }}', rules);
    fc.assert(
      fc.property(anyText, (A) => {
        expect(render(template, { A }, 'Slack').slice('<!here> '.length)).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
      }),
    );
  });
});

describe('a template', () => {
  it('without actions is its own text', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('{{')),
        (text) => {
          expect(render(parseTemplate(text, rules), {})).toBe(text);
        },
      ),
    );
  });

  it('that is nonsense is refused with a line and a column of it, or can be read', () => {
    const piece = fc.constantFrom(
      '{{',
      '}}',
      '{{-',
      '-}}',
      ' ',
      'if',
      'end',
      'else',
      'range',
      'with',
      '.A',
      '$x',
      ':=',
      '=',
      ',',
      '|',
      '(',
      ')',
      '"',
      '`',
      '/*',
      '*/',
      'printf',
      '1',
      '.',
      '\n',
      'x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = pieces.join('');
        try {
          parseTemplate(text, rules);
        } catch (error) {
          if (!(error instanceof TemplateError)) throw error;
          const lines = text.split('\n');
          expect(error.line).toBeLessThanOrEqual(lines.length);
          expect(error.column).toBeLessThanOrEqual((lines[error.line - 1] ?? '').length + 1);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['{{ .NodeNam }}', /^line 1, column 4: there is no \.NodeNam; there are \.Event \.NodeName/],
    ['a\nb {{ if .Run }}', /^line 2, column 6: \{\{if\}\} has no \{\{end\}\}$/],
    ['{{ range .NodePods }}{{ .Anything }}{{ $.Nothing }}{{ end }}', /column 40: there is no \.Nothing/],
    ['{{ template "x" }}', /column 4: \{\{template\}\} is not supported/],
    ['{{ env "HOME" }}', /column 4: function "env" is not known/],
  ])('of a notice is refused: %s', (text, message) => {
    expect(() => parseNoticeTemplate(text)).toThrow(message);
  });

  it('cannot run for ever, nor fill the memory', () => {
    const data = { A: 'x'.repeat(1_000) };
    expect(() => render(parseTemplate('{{ range 1000000000 }}{{ end }}', rules), data)).toThrow(/steps/);
    expect(() => render(parseTemplate('{{ range 1000000000 }}{{ $.A }}{{ end }}', rules), data)).toThrow(/longer than 65536/);
  });
});
