import { Button, Title } from '@mantine/core';
import { Link, useNavigate } from 'react-router';
import { useChange } from '../api/useChange';
import { usePageTitle } from '../frame/usePageTitle';
import { graphql } from '../gql';
import { ImageForm, freshImage } from './ImageForm';

const CreateImage = graphql(`
  mutation CreateImage($input: CreateImageInput!) {
    createImage(input: $input) {
      image {
        id
        name
      }
    }
  }
`);

/** The page that defines a new image. */
export function NewImage() {
  usePageTitle('New image');
  const create = useChange(CreateImage);
  const navigate = useNavigate();
  return (
    <>
      <Title order={1} mb="lg">
        New image
      </Title>
      <ImageForm
        initial={freshImage}
        busy={create.busy}
        error={create.error}
        submit="Create image"
        onSubmit={async (input) => {
          const done = await create.run(input);
          if (done) void navigate(`/images/${done.createImage.image.name}`);
        }}
        beside={
          <Button component={Link} to="/" variant="subtle" color="gray">
            Cancel
          </Button>
        }
      />
    </>
  );
}
