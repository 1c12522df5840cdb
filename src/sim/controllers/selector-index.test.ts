import { describe, expect, it } from 'vitest';
import { createLabelIndex, createSelectorIndex } from './selector-index.ts';

const selector = (matchLabels: Record<string, string>) => ({ matchLabels });

describe('the index of labels', () => {
  it('finds what may match a selector in its namespace, and forgets what was removed', () => {
    const index = createLabelIndex();
    index.add('a', 'shop', { app: 'web', tier: 'front' });
    index.add('b', 'shop', { app: 'web' });
    index.add('c', 'other', { app: 'web' });
    expect([...index.candidates('shop', selector({ app: 'web' }))]).toEqual(['a', 'b']);
    expect([...index.candidates('shop', selector({ app: 'web', tier: 'front' }))]).toEqual(['a']);
    expect([...index.candidates('shop', {})]).toEqual(['a', 'b']);
    expect([...index.candidates('shop', selector({ app: 'db' }))]).toEqual([]);
    index.remove('a', 'shop', { app: 'web', tier: 'front' });
    expect([...index.candidates('shop', selector({ app: 'web' }))]).toEqual(['b']);
    expect([...index.candidates('shop', selector({ tier: 'front' }))]).toEqual([]);
  });
});

describe('the index of selectors', () => {
  it('finds who may select labels, without those of other namespaces or other labels', () => {
    const index = createSelectorIndex();
    index.set('web', 'shop', selector({ app: 'web', hash: 'x' }));
    index.set('all', 'shop', {});
    index.set('elsewhere', 'other', selector({ app: 'web' }));
    expect([...index.candidates('shop', { app: 'web', hash: 'x' })].toSorted()).toEqual(['all', 'web']);
    expect([...index.candidates('shop', { app: 'db' })]).toEqual(['all']);
    index.set('web', 'shop', selector({ app: 'db' }));
    expect([...index.candidates('shop', { app: 'web', hash: 'x' })]).toEqual(['all']);
    index.delete('web');
    expect([...index.candidates('shop', { app: 'db' })]).toEqual(['all']);
  });
});
