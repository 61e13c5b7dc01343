import type { TypedDocumentNode } from 'urql';
import { type AnyVariables, useSubscription } from 'urql';

/** useLive keeps the cache up to date by a subscription for as long as the component shows. */
export function useLive<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  pause = false,
): Error | undefined {
  const [{ error }] = useSubscription({ query, variables, pause } as Parameters<typeof useSubscription<Data, Data, Variables>>[0]);
  return error;
}
