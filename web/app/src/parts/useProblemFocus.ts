import { type RefObject, useEffect, useRef } from 'react';
import type { CombinedError } from 'urql';

/** useProblemFocus takes the focus to a form's first field that the server has words for. */
export function useProblemFocus(error: CombinedError | undefined): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [error]);
  return form;
}
