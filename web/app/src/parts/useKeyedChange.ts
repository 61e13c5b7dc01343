import { useRef } from 'react';
import type { TypedDocumentNode } from 'urql';
import { useChange } from '../api/useChange';

type Input = { clientMutationID?: string | null };

/**
 * useKeyedChange is useChange for a mutation of one input, with a clientMutationID: the same input again after a failure is
 * the same change, which the server makes once, whether or not its answer was lost.
 */
export function useKeyedChange<Data, In extends Input>(document: TypedDocumentNode<Data, { input: In }>) {
  const { run, ...rest } = useChange(document);
  const tried = useRef<{ input: string; key: string }>(undefined);

  async function runKeyed(input: Omit<In, 'clientMutationID'>): Promise<Data | undefined> {
    const text = JSON.stringify(input);
    if (tried.current?.input !== text) tried.current = { input: text, key: freshKey() };
    const data = await run({ input: { ...input, clientMutationID: tried.current.key } as In });
    if (data) tried.current = undefined;
    return data;
  }
  return { ...rest, run: runKeyed };
}

/** freshKey is random; unlike crypto.randomUUID it is there without HTTPS, too. */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
