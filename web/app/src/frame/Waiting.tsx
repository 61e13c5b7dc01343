import { Skeleton, Stack } from '@mantine/core';

/** The shape of a page that is on its way. */
export function Waiting() {
  return (
    <Stack gap="lg" role="status" aria-busy="true" aria-label="Loading">
      <Skeleton height={30} width={220} radius="sm" />
      <Skeleton height={180} radius="lg" />
      <Skeleton height={120} radius="lg" />
    </Stack>
  );
}
