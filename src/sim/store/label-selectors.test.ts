import { describe, expect, it } from 'vitest';
import { refusal } from '../apiserver/testing/api-bed.ts';
import { matchesSelector, parseLabelSelector } from './label-selectors.ts';

describe('label selectors', () => {
  const labels = { app: 'web', tier: 'front', size: '5', empty: '' };

  it.each([
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app = web , tier = front', true],
    ['app=api', false],
    ['app!=api', true],
    ['app!=web', false],
    ['nothing!=web', true],
    ['app in (api,web)', true],
    ['app in (api)', false],
    ['app notin (api)', true],
    ['app notin (web)', false],
    ['nothing notin (web)', true],
    ['nothing in (web)', false],
    ['app', true],
    ['nothing', false],
    ['!nothing', true],
    ['!app', false],
    ['size>4', true],
    ['size>5', false],
    ['size<6', true],
    ['app>1', false],
    ['nothing<9', false],
    ['empty=', true],
    ['empty in ()', true],
    ['app in (,web)', true],
    ['in in (in)', false],
    ['app=web,!nothing,tier in (front,back),size<10', true],
    ['example.com/role=worker', false],
  ])('"%s" on {app: web, tier: front, size: 5}: %s', (text, expected) => {
    expect(matchesSelector(parseLabelSelector(text), labels)).toBe(expected);
  });

  it.each([
    ['app in web', "400 BadRequest: unable to parse requirement: found 'web' expected: '('"],
    ['app in (web', "400 BadRequest: unable to parse requirement: found '', expected: ',' or ')'"],
    ['=web', "400 BadRequest: found '=', expected: !, identifier, or 'end of string'"],
    ['app=web,', "400 BadRequest: found '', expected: identifier after ','"],
    ['app=web tier', "400 BadRequest: found 'tier', expected: ',' or 'end of string'"],
    ['!app=web', "400 BadRequest: found '=', expected: ',' or 'end of string'"],
    ['app is web', "400 BadRequest: unable to parse requirement: found 'is', expected: in, notin, =, ==, !=, gt, lt"],
    ['app==(', "400 BadRequest: unable to parse requirement: found '(', expected: identifier"],
    [
      'size>big',
      "400 BadRequest: unable to parse requirement: values[0]: Invalid value: \"big\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
    [
      'a/b/c=d',
      "400 BadRequest: unable to parse requirement: <nil>: Invalid value: \"a/b/c\": a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ],
    [
      'app=-web',
      "400 BadRequest: unable to parse requirement: values[0][app]: Invalid value: \"-web\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
  ])('refuses "%s"', (text, expected) => {
    expect(refusal(() => parseLabelSelector(text))).toBe(expected);
  });

  it('matches labels and expressions of a selector object together', () => {
    const selector = {
      matchLabels: { app: 'web' },
      matchExpressions: [{ key: 'size', operator: 'In', values: ['5', '6'] }],
    } as const;
    expect(matchesSelector(selector, labels)).toBe(true);
    expect(matchesSelector(selector, { app: 'web' })).toBe(false);
    expect(matchesSelector({}, undefined)).toBe(true);
  });
});
