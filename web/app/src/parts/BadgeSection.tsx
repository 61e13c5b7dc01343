import { Switch, Text } from '@mantine/core';
import { UpdateImage } from '../api/images';
import { useChange } from '../api/useChange';
import type { ImageFieldsFragment } from '../gql/graphql';
import { Copy } from './Copy';
import { Failure } from './Failure';
import { Section } from './Section';
import classes from './settings.module.css';

/** A public image's badge: as it is now, and as a README shows it. */
export function BadgeSection({ image }: { image: ImageFieldsFragment }) {
  const update = useChange(UpdateImage);
  const { badgeURL } = image;
  return (
    <Section
      id="badge"
      title="Badge"
      about="A picture of how the image is doing, for a README. Who has its address sees it without signing in, and nothing else."
    >
      <Switch
        label="Everybody may see the badge"
        checked={image.public}
        onChange={(event) => void update.run({ id: image.id, public: event.currentTarget.checked })}
      />
      <Failure error={update.error} />
      {badgeURL && (
        <div className={classes.form}>
          {/* From the page's own origin: the policy lets in no other, wherever the address for others leads. */}
          <div>
            <img src={new URL(badgeURL).pathname} alt={`The badge of ${image.name}`} height={20} className={classes.badge} />
          </div>
          <div>
            <Text fw={500}>Markdown</Text>
            <Copy text={`![${image.name}](${badgeURL})`} what="Markdown" />
          </div>
          <div>
            <Text fw={500}>Address</Text>
            <Copy text={badgeURL} what="address" />
          </div>
        </div>
      )}
    </Section>
  );
}
